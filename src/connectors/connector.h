// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/connector: what a kind of connector (kinds/*.cc) is given and makes of a manifest,
// and what a call is made of. Threading: a Connector is used from any shard.

#include "core/context.h"
#include "core/effect.h"
#include "core/json.h"
#include "core/result.h"
#include "expr/schema.h"
#include "govern/guard.h"
#include "net/client.h"
#include "runtime/backoff.h"
#include "runtime/task.h"
#include "store/transition.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::connectors {

namespace detail {
struct Loaded;
}  // namespace detail

/// Until a secret that is missing or not taken is tried again: somebody has to act first.
inline constexpr Duration secret_pause = std::chrono::seconds(5);

struct ManifestFile {
  std::string path;  ///< for error messages
  std::string text;
};
struct OperationInfo {
  std::string connector, kind, operation, region;
  std::string origin;         ///< where the system is: of http its base URL
  bool names_effect = false;  ///< the system is told the effect's id, so that a person can find it
  EffectClass effect = EffectClass::none;
  runtime::BackoffOptions backoff;              ///< how often and how fast the caller may try again
  Duration timeout = std::chrono::seconds(10);  ///< of one attempt
  /// Class lookup: so long after an attempt's time is over its request may still act; until then
  /// "not found" proves nothing.
  Duration settle{0};
  Json arguments_schema;                       ///< null: any object
  std::optional<expr::Schema> checker;         ///< of arguments_schema
  std::optional<expr::Schema> result_checker;  ///< of the result; always there where it acts
};

/// What a call is prepared for.
enum class Purpose : std::uint8_t { attempt, lookup };

struct OperationCall {
  Purpose purpose = Purpose::attempt;
  std::string connector;
  std::string operation;
  Json arguments;
  /// What its kind needs besides and is neither policy's nor the audit log's: of `call: http` how
  /// the request is put together of the arguments, and what authenticates it.
  Json unseen{};
  std::string effect_id;  ///< the same for every attempt of one step: the idempotency key
  std::string run_id;
  std::string step;
  JsonObject run;  ///< governance memory for the guard
  std::uint32_t attempt = 1;
};

/// An admitted call, to be performed once.
struct Prepared {
  govern::Permit permit;
  OperationInfo info;
  OperationCall call{};                         ///< its arguments as policy lets them through
  std::shared_ptr<detail::Loaded> connector{};  ///< that was admitted, whatever is deployed since
  /// Commits to the arguments as policy lets them through; commit it before perform(). None for a
  /// look-up, which changes nothing and has a leaf of its own, and none when blocked.
  store::AuditLeaf intent{};
  /// Set: an attempt would be turned away now (see Performed::blocked). Write no intent, and ask
  /// again after retry_after().
  std::optional<Error> blocked{};
};

struct Performed {
  Outcome outcome = Outcome::unknown;
  Json result;                 ///< when done
  Json remembered;             ///< when done: what the run keeps of it for policies; null: nothing
  std::optional<Error> error;  ///< when failed or unknown
  /// Failed without an attempt: the breaker is open, all places are taken for too long, a secret is
  /// not there, or the connector is another one by now; error.retry_after() says when to ask again.
  bool blocked = false;
  /// Failed, and no try of the caller's is used up: nothing was sent, it probed a system that is
  /// down for everybody, or the system does not take the secret.
  bool spared = false;
  /// What was sent, or may have been, as canonical JSON: of HTTP {method, url, body} with the
  /// body's exact text; never a header, which may hold a secret. Empty when certainly nothing was
  /// sent.
  std::string request;
  std::string answer;  ///< what came back: of HTTP {status, body}; empty when nothing did
  /// When failed: the status that the workflow is to see instead of what the error's code gives; 0:
  /// none of its own.
  int status = 0;
  /// Commit it with the result: every intent has one, unless the process ends between the two. It
  /// commits to `request` and `answer`; where it says "blocked", nothing was tried.
  store::AuditLeaf leaf;
};

/// What came of asking whether a call happened.
struct LookedUp {
  std::optional<Json> result;  ///< it happened, and gave this
  Json remembered;             ///< as in Performed
  std::optional<Error> error;  ///< not known yet. Neither: it did not happen
  std::string request;         ///< as in Performed
  std::string answer;
  /// Says "found", "absent" or "failed"; commit it with what follows. Empty bytes when nothing was
  /// asked: the breaker is open, all places are taken or a secret is not there.
  store::AuditLeaf leaf{};
};

/// What Connectors holds a connector to.
struct Limits {
  std::uint32_t concurrency = 16;  ///< attempts at one time
  runtime::Breaker::Options breaker;
};

/// What a kind (kinds/*.cc) makes of a manifest.
class Connector {
 public:
  virtual ~Connector() = default;
  virtual std::vector<std::string> operations() const = 0;
  virtual const OperationInfo* describe(std::string_view operation) const = 0;
  virtual const Limits& limits() const = 0;
  /// Names of the secrets that any call takes from KindServices::secret.
  virtual std::vector<std::string> secrets() const = 0;
  /// Those that this one takes.
  virtual std::vector<std::string> secrets_of(const OperationCall& /*call*/) const {
    return secrets();
  }
  /// Makes the request (and that of the look-up) without sending it, for a decision that obliges to
  /// mask: an error when the request cannot be made, or puts personal data together from arguments
  /// that are masked already. perform() and lookup() check the same.
  virtual Result<void> rehearse(const govern::Decision& decision,
                                const OperationCall& call) const = 0;
  /// One attempt within ctx.deadline. Fills Performed::request and answer, and spared where a
  /// secret is not taken; leaves leaf and blocked alone.
  /// The Permit's obligations are already carried out on the arguments.
  virtual Task<Performed> perform(Context ctx, govern::Permit permit, OperationCall call) = 0;
  /// What the run keeps for policies of a result that is known from elsewhere; null: nothing. Fails
  /// where the result lacks it.
  virtual Result<Json> recall(const OperationCall& call, const Json& result) const = 0;
  /// Class lookup only. Fills all but the leaf.
  virtual Task<LookedUp> lookup(Context ctx, govern::Permit permit, OperationCall call) = 0;
};
/// Used by calls only: making a connector touches none of them.
struct KindServices {
  net::Client* client = nullptr;
  runtime::Clock* clock = nullptr;
  std::function<Result<std::string>(std::string_view name)> secret;  ///< of the connector's tenant
};
struct KindEntry {
  std::string name;
  std::string summary;
  /// Null when the manifest has errors: all of them are appended, each with file, line, column.
  std::function<std::unique_ptr<Connector>(const KindServices&, const ManifestFile&,
                                           const Json& params, std::vector<Error>* errors)>
      make;
  /// A manifest that is good when `params` is {"url": "http://127.0.0.1:1"}; each of its operations
  /// takes the arguments {"id": "1"}.
  std::string example;
};
class KindRegistry {
 public:
  void add(KindEntry entry) { entries_.push_back(std::move(entry)); }
  const std::vector<KindEntry>& entries() const { return entries_; }

 private:
  std::vector<KindEntry> entries_;
};
void register_all_kinds(KindRegistry& registry);

}  // namespace aios::connectors

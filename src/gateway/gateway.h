// SPDX-License-Identifier: Apache-2.0
#pragma once
// gateway/gateway: every use of a model passes here: find the alias, ask the guard before (with
// what personal data the text really holds), call the provider with the Permit, ask the guard
// after, make the audit leaf. The caller commits the leaves with its own transition: no call
// without a leaf, no leaf without a call.

#include "core/context.h"
#include "core/effect.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/price.h"
#include "govern/guard.h"
#include "govern/refusal.h"
#include "models/models.h"
#include "net/client.h"
#include "observe/metrics.h"
#include "runtime/task.h"
#include "store/transition.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::gateway {

struct InferRequest {
  std::string alias;
  Json input;          ///< an object; classification takes {"text": "..."}
  JsonObject run;      ///< governance memory of the run for the guard: see
                       ///< docs/guide/policy-inputs.md; empty outside runs
  std::string stream;  ///< the run's or the call's id, for the leaf
  std::string step;
};

struct InferAnswer {
  Json output;  ///< {label, confidence, version: "<model>@<version>", reasons, scores}
  std::vector<store::AuditLeaf> leaves;  ///< commit them with the result
};

/// What a provider is given; only with a Permit for pre_model_call.
struct ProviderCall {
  std::string alias;
  std::string model;  ///< as resolve() said and the guard allowed
  std::string version;
  Json input;
};
/// What came of it.
struct ProviderReply {
  Outcome outcome = Outcome::done;  ///< unknown: it may have cost as much as bound() said
  bool sent = true;                 ///< false: failed, and nothing left the process
  Json output;                      ///< when done
  std::string model;
  std::string version;
  std::optional<Usage> usage;  ///< what is to be paid; nothing: not known, or nothing was used
  std::optional<Error> error;  ///< unless done
};

/// One family of model servers (providers/*.cc). Threading: any shard.
class Provider {
 public:
  virtual ~Provider() = default;
  virtual std::string_view name() const = 0;
  /// Where the data goes: "local" never leaves this process.
  virtual std::string_view region() const = 0;
  /// What would serve the alias, for the guard: name and version; not_found when it is not this
  /// provider's.
  virtual Result<std::pair<std::string, std::string>> resolve(const Context& ctx,
                                                              std::string_view alias) = 0;
  /// @return aborted when the alias no longer leads to call.model and call.version;
  ///         invalid_argument [AIOS-0800] for an input that the model does not take.
  virtual Task<ProviderReply> complete(Context ctx, govern::Permit permit, ProviderCall call) = 0;
  /// What keeps it from calling at all: a secret that is missing. Asked before there is an intent.
  virtual Result<void> ready() const { return {}; }
  /// No call with this input uses more. Zero: a call costs nothing.
  virtual Usage bound(const Json& /*input*/) const { return {}; }
};
/// Used by calls only: making a provider touches none of them.
struct ProviderServices {
  models::Models* models = nullptr;
  net::Client* client = nullptr;
  std::function<Result<std::string>(std::string_view name)> secret;  ///< of the models' tenant
};
struct ProviderEntry {
  std::string name;
  std::string summary;
  /// @param options  an object; unknown members are refused (invalid_argument).
  std::function<Result<std::unique_ptr<Provider>>(const ProviderServices&, const Json& options)>
      make;
  std::string example = "{}";  ///< options that are good, as JSON
};
class ProviderRegistry {
 public:
  void add(ProviderEntry entry) { entries_.push_back(std::move(entry)); }
  const std::vector<ProviderEntry>& entries() const { return entries_; }

 private:
  std::vector<ProviderEntry> entries_;
};
void register_all_providers(ProviderRegistry& registry);

class Gateway {
 public:
  /// With every registered provider, made with no options.
  Gateway(const govern::Guard& guard, models::Models& models, observe::Metrics& metrics,
          runtime::Clock& clock);
  /// With these providers, asked in this order.
  Gateway(const govern::Guard& guard, std::vector<std::unique_ptr<Provider>> providers,
          observe::Metrics& metrics, runtime::Clock& clock);
  ~Gateway();
  /// Asks the model behind an alias, once. A call that the guard refuses, before or after, gives
  /// policy_denied.
  /// @return not_found [AIOS-0705] for an unknown alias (no leaf: nothing was asked);
  ///         policy_denied [AIOS-0501, 0802]; invalid_argument [AIOS-0800]; what the provider says.
  ///         A call that was refused or failed after the guard was asked has a leaf.
  Task<govern::Refusable<InferAnswer>> infer(Context ctx, InferRequest request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::gateway

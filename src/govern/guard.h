// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/guard: the one gate. What calls a model or another system takes a Permit, and only the
// Guard makes Permits; events, reviews and promotions go on when the Ruling allows it. Policies are
// Rego (bundle files), evaluated in process.
// Decisions are cached by exactly the facts that the bundle can read (found at load in its text); a
// bundle that reads clocks or random numbers is not cached.
// Fail closed: no policy, a broken policy or an undefined result means deny:
//   no bundle loaded                             every point is denied
//   no package pre_model_call, connector_egress, model_promote    that point is denied
//   no package event_admit, post_model_call, review_assign,
//     incident_settle                                             that point is allowed
// Floor, which no bundle can loosen: at pre_model_call, text with personal data (or of which it is
// not known) goes only to a "local" model or to one in the tenant's own region; elsewhere only when
// the policy demands that it be masked first (obligation `redact`), which the gateway carries out.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "core/staged.h"
#include "store/transition.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::govern {

/// Where the guard is asked. The Rego package of a point is `aios.<name>`.
enum class GuardPoint : std::uint8_t {
  event_admit,
  pre_model_call,
  post_model_call,
  connector_egress,
  review_assign,
  model_promote,
  incident_settle,  ///< a person's word on a call of which nobody knows whether it happened
  question,  ///< Guard::query: a question of the document's own; has no package under `aios.`
};
/// Those that have a package.
inline constexpr std::array guard_points = {
    GuardPoint::event_admit,      GuardPoint::pre_model_call, GuardPoint::post_model_call,
    GuardPoint::connector_egress, GuardPoint::review_assign,  GuardPoint::model_promote,
    GuardPoint::incident_settle};
std::string_view name_of(GuardPoint point);

enum class Verdict : std::uint8_t { allow, warn, escalate, deny };
std::string_view name_of(Verdict verdict);

/// What was decided and on what ground; goes into the audit leaf of the request it belongs to.
struct Decision {
  std::string id;  ///< "dec_..."
  GuardPoint point = GuardPoint::event_admit;
  Verdict verdict = Verdict::deny;
  std::vector<std::string> reasons;  ///< messages of the rules that fired, sorted
  /// Those of the reasons that cannot hold anything of what was asked: the guard's own, and
  /// sentences that stand as they are in the policies' text.
  std::vector<std::string> fixed_reasons;
  /// {"type": "redact" | "project" | "cap" | ...}: the caller must carry out or refuse.
  std::vector<JsonObject> obligations;
  std::string bundle_digest;  ///< hex SHA-256 of the policy bundle
  /// The facts the policy could read, as canonical JSON; null when nothing was asked.
  std::shared_ptr<const std::string> input;
  /// Hex SHA-256 of `input`. For the asker only: facts can be guessed, so a leaf holds a salted
  /// commitment in its place.
  std::string input_digest;
  /// For a leaf, so nothing that a policy may have made of what it was asked about. Members id,
  /// point, verdict, reasons (the fixed ones), bundle; empty ones are left out.
  Json to_json() const;
  /// What to_json() leaves out: {"reasons": [...], "obligations": [...]}, all of them; null when
  /// that is nothing.
  Json grounds() const;
};

/// Proof that the guard said yes, to one tenant at one point. Only Guard makes it; takers check
/// both before they do anything. Move-only, used once.
class Permit {
 public:
  Permit(Permit&&) noexcept = default;
  Permit& operator=(Permit&&) noexcept = default;
  const Decision& decision() const { return decision_; }
  const TenantId& tenant() const { return tenant_; }
  /// @return internal when it was given at another point or to another tenant than that of `ctx`.
  Result<void> check(const Context& ctx, GuardPoint point) const;

 private:
  friend class Guard;
  Permit(TenantId tenant, Decision decision)
      : tenant_(std::move(tenant)),
        decision_(std::move(decision)) {}
  TenantId tenant_;
  Decision decision_;
};

/// What a policy said to a question of the document's own: data, which permits nothing.
struct Answered {
  Json value;
  Decision decision;  ///< point question, verdict allow, with both digests
};

/// A decision, with the Permit when it was allow or warn.
struct Ruling {
  Decision decision;
  std::optional<Permit> permit;
  bool allowed() const { return permit.has_value(); }
  /// policy_denied [AIOS-0501] with the reasons, for callers that cannot escalate.
  Error to_error() const;
};

/// One Rego source file of a bundle. Files that end in _test.rego are only run by test().
struct PolicyFile {
  std::string path;
  std::string text;
};

struct GuardStats {
  std::uint64_t asked = 0;
  std::uint64_t cache_hits = 0;
};

/// Facts given to policy are `input`; a tenant's bundle parameters are `data.params`.
/// `input` always holds: point, tenant{id,region}, principal{id,kind,roles}, labels[]; per point
/// see docs/guide/policy-inputs.md. Threading: every method from any thread; an asked decision
/// never waits for a load.
class Guard {
 public:
  Guard();
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  /// Replaces a tenant's policies at once. Refused (invalid_argument with file, line, column; the
  /// old ones stay): text that does not parse or recursion in the rule graph [AIOS-0502], unknown
  /// packages under `aios.` [AIOS-0503].
  Result<void> load(const TenantId& tenant, const std::vector<PolicyFile>& files,
                    const Json& params);
  /// load() in two steps: all that can fail and takes time, then the replacement.
  Staged stage(const TenantId& tenant, const std::vector<PolicyFile>& files, const Json& params);
  /// Where the tenant's data may stay ("eu", "us", ...): the fact `input.tenant.region`.
  void set_region(const TenantId& tenant, std::string region);

  /// @param facts  the point's own facts (an object), merged into `input`; members of `input` that
  ///        the guard itself fills cannot be replaced by them.
  Ruling ask(const Context& ctx, GuardPoint point, JsonObject facts) const;

  /// A question of the document's own ("support/decide"): evaluates data.support.decide with the
  /// facts as input; never gives a Permit.
  /// @return not_found [AIOS-0505] when there is no such rule or package, failed_precondition
  ///         [AIOS-0504] when it is undefined for this input or fails: nothing was decided then.
  Result<Answered> query(const Context& ctx, std::string_view path, const Json& input) const;

  /// Runs the test_ rules of all files. One line a test; failed_precondition [AIOS-0506] names the
  /// failed ones; load's errors when the files do not compile.
  static Result<std::vector<std::string>> test(const std::vector<PolicyFile>& files,
                                               const Json& params);

  /// Hex digest of the tenant's present bundle, empty when none.
  std::string bundle_digest(const TenantId& tenant) const;
  GuardStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::govern

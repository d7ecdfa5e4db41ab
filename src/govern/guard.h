// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/guard: the one gate. Nothing reaches a model, a system, a person or the outside without a Permit, and only
// the Guard makes Permits. Policies are Rego (bundle files), evaluated in process; decisions are cached by exactly the
// facts given. Fail closed: no policy, a broken policy or an undefined result means deny.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "store/transition.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::govern {

/// Where the guard is asked. The Rego package of a point is `aios.<name>`.
enum class GuardPoint : std::uint8_t {
  event_admit, pre_model_call, post_model_call, connector_egress, review_assign, model_promote,
};
std::string_view name_of(GuardPoint point);

enum class Verdict : std::uint8_t { allow, warn, escalate, deny };
std::string_view name_of(Verdict verdict);

/// What was decided and on what ground; goes into the audit leaf of the request it belongs to.
struct Decision {
  std::string id;              ///< "dec_..."
  GuardPoint point = GuardPoint::event_admit;
  Verdict verdict = Verdict::deny;
  std::vector<std::string> reasons;      ///< messages of the rules that fired, sorted
  std::vector<JsonObject> obligations;   ///< {"type": "redact" | "project" | "cap" | ...}: the caller must carry out or refuse
  std::string bundle_digest;   ///< hex SHA-256 of the policy bundle
  std::string input_digest;    ///< hex SHA-256 of the facts
  Json to_json() const;
};

/// Proof that the guard said yes. Only Guard makes it; takers check the point. Move-only, used once.
class Permit {
 public:
  Permit(Permit&&) noexcept = default;
  Permit& operator=(Permit&&) noexcept = default;
  const Decision& decision() const { return decision_; }

 private:
  friend class Guard;
  explicit Permit(Decision decision) : decision_(std::move(decision)) {}
  Decision decision_;
};

/// A decision, with the Permit when it was allow or warn.
struct Ruling {
  Decision decision;
  std::optional<Permit> permit;
  bool allowed() const { return permit.has_value(); }
  /// policy_denied [AIOS-0501] with the reasons, for callers that cannot escalate.
  Error to_error() const;
};

/// One Rego source file of a bundle.
struct PolicyFile {
  std::string path;
  std::string text;
};

/// Facts given to policy are `input`; a tenant's bundle parameters are `data.params`.
/// `input` always holds: point, tenant{id,region}, principal{id,kind,roles}, labels[]; per point see
/// docs/guide/policy-inputs.md.
class Guard {
 public:
  Guard();
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  /// Replaces a tenant's policies at once. Refused (invalid_argument with file, line, column): text that does not
  /// parse, recursion in the rule graph, unknown packages under `aios.`. The old ones stay then.
  Result<void> load(const TenantId& tenant, const std::vector<PolicyFile>& files, const Json& params);
  /// Where the tenant's data may stay ("eu", "us", ...): the fact `input.tenant.region`.
  void set_region(const TenantId& tenant, std::string region);

  /// @param facts  the point's own facts (an object), merged into `input`.
  Ruling ask(const Context& ctx, GuardPoint point, JsonObject facts) const;

  /// A question of the document's own ("support/decide"): evaluates data.support.decide with the facts as input.
  /// not_found when no such package; never gives a Permit.
  Result<Json> query(const Context& ctx, std::string_view path, const Json& input, Decision* decision) const;

  /// Runs the test_ rules of the files beside their policies. One line a test; ok() false names the failed ones.
  static Result<std::vector<std::string>> test(const std::vector<PolicyFile>& files, const Json& params);

  /// Hex digest of the tenant's present bundle, empty when none.
  std::string bundle_digest(const TenantId& tenant) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::govern

// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"
#include "govern/guard.h"

#include <fmt/format.h>

namespace aios::govern {

std::string_view name_of(GuardPoint point) {
  switch (point) {
    case GuardPoint::event_admit: return "event_admit";
    case GuardPoint::pre_model_call: return "pre_model_call";
    case GuardPoint::post_model_call: return "post_model_call";
    case GuardPoint::connector_egress: return "connector_egress";
    case GuardPoint::review_assign: return "review_assign";
    case GuardPoint::model_promote: return "model_promote";
    case GuardPoint::question: return "question";
    case GuardPoint::incident_settle: return "incident_settle";
  }
  return "question";
}

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::allow: return "allow";
    case Verdict::warn: return "warn";
    case Verdict::escalate: return "escalate";
    case Verdict::deny: return "deny";
  }
  return "deny";
}

Json Decision::to_json() const {
  JsonObject object;
  object["id"] = id;
  object["point"] = name_of(point);
  object["verdict"] = name_of(verdict);
  if (!fixed_reasons.empty()) {
    object["reasons"] = JsonArray(fixed_reasons.begin(), fixed_reasons.end());
  }
  if (!bundle_digest.empty()) {
    object["bundle"] = bundle_digest;
  }
  return object;
}

Json Decision::grounds() const {
  if (obligations.empty() && fixed_reasons.size() == reasons.size()) {
    return nullptr;
  }
  return JsonObject{{"reasons", JsonArray(reasons.begin(), reasons.end())},
                    {"obligations", JsonArray(obligations.begin(), obligations.end())}};
}

Result<void> Permit::check(const Context& ctx, GuardPoint point) const {
  if (decision_.point == point && tenant_ == ctx.tenant) {
    return {};
  }
  return Error(Code::internal, fmt::format("a permit of {} for tenant '{}' was brought to {} for "
                                           "tenant '{}': nothing was done",
                                           name_of(decision_.point), tenant_.text(), name_of(point),
                                           ctx.tenant.text()));
}

Error Ruling::to_error() const {
  const std::string_view what =
      decision.verdict == Verdict::escalate ? "policy wants a person to decide" : "policy denies";
  return Error(Code::policy_denied, fmt::format("{} {}: {}", what, name_of(decision.point),
                                                join(decision.reasons, "; ")))
      .page(501);
}

}  // namespace aios::govern

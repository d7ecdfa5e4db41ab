// SPDX-License-Identifier: Apache-2.0
#include "govern/guard.h"

#include "core/crypto.h"
#include "core/text.h"
#include "govern/detail/bundle_policy.h"
#include "govern/detail/test_failure.h"
#include "runtime/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>

namespace aios::govern {
namespace {

using detail::Asked;
using detail::BundlePolicy;
using detail::PolicyAnswer;

constexpr std::size_t path_parts_max = 16;
constexpr std::size_t explained_max = 10;  // of failed tests: each is compiled anew

struct Place {
  std::shared_ptr<BundlePolicy> policy;
  std::string region;
};

std::string decision_id() {
  runtime::Executor* executor = runtime::Executor::current();
  return executor != nullptr
             ? runtime::new_id("dec", executor->clock(), executor->random())
             : runtime::new_id("dec", runtime::system_clock(), runtime::system_random());
}

const Json* member_at(const JsonObject& facts, std::string_view object, std::string_view member) {
  const Json* value = facts.if_contains(object);
  return value == nullptr ? nullptr : find(*value, member);
}

/// What no bundle can loosen.
struct Floor {
  std::string reason;  ///< empty: it does not bind
  bool masking_lifts = false;
};

bool demands_redaction(const PolicyAnswer& answer) {
  return std::any_of(answer.obligations.begin(), answer.obligations.end(),
                     [](const JsonObject& obligation) {
                       const Json* type = obligation.if_contains("type");
                       return type != nullptr && *type == "redact";
                     });
}

// Personal data stays in the tenant's region: only masked text leaves it.
Floor floor_of(const Asked& asked) {
  if (asked.point != GuardPoint::pre_model_call) {
    return {};
  }
  const Json* region = member_at(asked.facts, "model", "region");
  const std::string_view to =
      region != nullptr && region->is_string() ? view(region->get_string()) : "";
  if (to == "local" || (!to.empty() && to == asked.region)) {
    return {};
  }
  const Json* personal = member_at(asked.facts, "content", "personal");
  if (personal == nullptr || !personal->is_array()) {
    return {
        fmt::format("it is not known whether the text has personal data, and model region "
                    "'{}' is not the tenant's",
                    excerpt(to, 40))};
  }
  if (personal->get_array().empty()) {
    return {};
  }
  return {fmt::format("personal data must not leave region '{}' for a model in '{}'", asked.region,
                      excerpt(to, 40)),
          true};
}

// "support/decide" -> "data.support.decide"; empty when it is no such path.
std::string document_path(std::string_view path) {
  const auto parts = split(path, '/');
  if (parts.empty() || parts.size() > path_parts_max) {
    return {};
  }
  std::string document = "data";
  for (const std::string_view part : parts) {
    const bool plain = !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
      return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
    if (!plain) {
      return {};
    }
    document += '.';
    document += part;
  }
  return document;
}

void set_input(Decision& decision, const Json& input) {
  decision.input = std::make_shared<const std::string>(detail::image_of(input));
  decision.input_digest = to_hex(view(sha256(*decision.input)));
}

}  // namespace

struct Guard::Impl {
  mutable std::shared_mutex mutex;
  std::map<TenantId, Place> tenants;
  mutable std::atomic<std::uint64_t> asked{0};
  mutable std::atomic<std::uint64_t> hits{0};

  Place place_of(const TenantId& tenant) const {
    const std::shared_lock lock(mutex);
    const auto at = tenants.find(tenant);
    return at == tenants.end() ? Place() : at->second;
  }
};

Guard::Guard() : impl_(std::make_unique<Impl>()) {}
Guard::~Guard() = default;

Result<void> Guard::load(const TenantId& tenant, const std::vector<PolicyFile>& files,
                         const Json& params) {
  auto staged = stage(tenant, files, params);
  if (!staged.errors.empty()) {
    return std::move(staged.errors.front());
  }
  staged.put();
  return {};
}

Staged Guard::stage(const TenantId& tenant, const std::vector<PolicyFile>& files,
                    const Json& params) {
  Staged staged;
  auto policy = BundlePolicy::load(files, params);
  if (!policy.ok()) {
    staged.errors.push_back(std::move(policy).error().with("loading the policies"));
    return staged;
  }
  staged.put = [impl = impl_.get(), tenant, policy = std::move(*policy)] {
    const std::unique_lock lock(impl->mutex);
    impl->tenants[tenant].policy = policy;
  };
  return staged;
}

void Guard::set_region(const TenantId& tenant, std::string region) {
  const std::unique_lock lock(impl_->mutex);
  impl_->tenants[tenant].region = std::move(region);
}

Ruling Guard::ask(const Context& ctx, GuardPoint point, JsonObject facts) const {
  const Place place = impl_->place_of(ctx.tenant);
  const Asked asked{ctx, point, place.region, facts};
  Ruling ruling;
  Decision& decision = ruling.decision;
  decision.id = decision_id();
  decision.point = point;
  impl_->asked.fetch_add(1, std::memory_order_relaxed);
  if (place.policy) {
    decision.bundle_digest = place.policy->digest();
  }
  Floor floor =
      point == GuardPoint::question ? Floor{"a question is no guard point"} : floor_of(asked);
  if (!place.policy) {
    floor = {fmt::format("no policy is loaded for tenant '{}'", ctx.tenant.text())};
  }
  if (!floor.reason.empty() && !floor.masking_lifts) {
    decision.fixed_reasons.push_back(floor.reason);
    decision.reasons.push_back(std::move(floor.reason));
    set_input(decision, detail::input_of(asked));
    return ruling;
  }
  bool hit = false;
  const std::shared_ptr<const PolicyAnswer> answer = place.policy->find(asked, hit);
  impl_->hits.fetch_add(hit ? 1 : 0, std::memory_order_relaxed);
  decision.verdict = answer->verdict;
  decision.reasons = answer->reasons;
  decision.fixed_reasons = answer->fixed_reasons;
  decision.obligations = answer->obligations;
  decision.input = answer->input;
  decision.input_digest = answer->input_digest;
  if (!floor.reason.empty() && !demands_redaction(*answer)) {
    decision.verdict = Verdict::deny;
    decision.fixed_reasons.push_back(floor.reason);
    decision.reasons.push_back(std::move(floor.reason));
    decision.obligations.clear();
  }
  if (decision.verdict == Verdict::allow || decision.verdict == Verdict::warn) {
    ruling.permit = Permit(ctx.tenant, decision);
  }
  return ruling;
}

Result<Answered> Guard::query(const Context& ctx, std::string_view path, const Json& input) const {
  const Place place = impl_->place_of(ctx.tenant);
  const std::string document = document_path(path);
  if (!place.policy || document.empty() || !place.policy->rego().has(document)) {
    return Error(Code::not_found, fmt::format("the tenant's policies have no rule or package '{}'",
                                              excerpt(path, 100)))
        .page(505);
  }
  auto value = place.policy->rego().evaluate(document, to_text(input));
  if (!value.ok()) {
    return std::move(value).error().with(fmt::format("asking policy '{}'", path));
  }
  if (!value->has_value()) {
    return Error(Code::failed_precondition,
                 fmt::format("policy '{}' is undefined for this input", path))
        .page(504);
  }
  Answered answered;
  answered.value = std::move(**value);
  answered.decision.id = decision_id();
  answered.decision.point = GuardPoint::question;
  answered.decision.verdict = Verdict::allow;
  answered.decision.bundle_digest = place.policy->digest();
  set_input(answered.decision, input);
  return answered;
}

Result<std::vector<std::string>> Guard::test(const std::vector<PolicyFile>& files,
                                             const Json& params) {
  const JsonObject data = detail::data_of(params);
  auto rego = detail::Rego::compile(files, data);
  if (!rego.ok()) {
    return std::move(rego).error();
  }
  std::vector<std::string> lines;
  std::vector<std::string> failed;
  for (const auto& test : (*rego)->tests()) {
    const std::string name = test.path.substr(std::string_view("data.").size());
    const auto value = (*rego)->evaluate(test.path, "");
    const bool passed =
        value.ok() && value->has_value() && (*value)->is_bool() && (*value)->get_bool();
    if (passed) {
      lines.push_back("ok " + name);
      continue;
    }
    std::string why = value.ok() ? "" : ": " + value.error().message();
    if (failed.size() < explained_max) {
      const std::string more = detail::why_failed(files, data, test);
      why += (more.empty() ? "" : ": ") + more;
    }
    failed.push_back(fmt::format("{}:{}:{} {}{}", test.file, test.line, test.column, name, why));
  }
  if (!failed.empty()) {
    return Error(Code::failed_precondition,
                 fmt::format("{} of {} policy tests failed: {}", failed.size(),
                             failed.size() + lines.size(), join(failed, ", ")))
        .page(506);
  }
  return lines;
}

std::string Guard::bundle_digest(const TenantId& tenant) const {
  const Place place = impl_->place_of(tenant);
  return place.policy ? place.policy->digest() : std::string();
}

GuardStats Guard::stats() const { return {impl_->asked.load(), impl_->hits.load()}; }

}  // namespace aios::govern

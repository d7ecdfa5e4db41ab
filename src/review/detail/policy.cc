// SPDX-License-Identifier: Apache-2.0
#include "review/detail/policy.h"

#include "core/text.h"
#include "govern/policy_input.h"
#include "review/detail/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::review::detail {
namespace {

JsonArray texts(const std::vector<std::string>& values) {
  JsonArray out;
  for (const std::string& value : values) {
    out.emplace_back(value);
  }
  return out;
}

Error cannot(std::string message) {
  return Error(Code::policy_denied, std::move(message)).page(606);
}

Result<void> take(const JsonObject& obligation, Demands& out) {
  const std::string_view type = text_or(obligation, "type", "");
  if (type == "approve") {
    const auto roles = texts_of(find(obligation, "assignees"));
    if (const auto said = check_said_roles(roles); !said.ok()) {
      return cannot(fmt::format("the policy demands an approval by nobody: of 'assignees': {}",
                                said.error().message()));
    }
    add_roles(roles, out.approvers);
    return {};
  }
  if (type == "priority") {
    const Json* value = find(obligation, "value");
    const auto priority = priority_of(value == nullptr ? Json(false) : *value);
    if (!priority.ok()) {
      return cannot(fmt::format("the policy demands a priority: {}", priority.error().message()));
    }
    out.priority = std::max(out.priority.value_or(0), *priority);
    return {};
  }
  return cannot(
      fmt::format("the policy attaches the obligation '{}' to a review, wanted approve "
                  "or priority: it cannot carry out another",
                  excerpt(type, 40)));
}

}  // namespace

JsonObject guard_facts(const ReviewInfo& info, std::string_view phase, JsonObject more,
                       JsonObject run) {
  JsonObject about{{"title", info.title},
                   {"assignees", texts(info.assignees)},
                   {"form", info.form},
                   {"phase", phase},
                   {"priority", info.priority}};
  for (auto& member : more) {
    about[member.key()] = std::move(member.value());
  }
  return govern::held(govern::GuardPoint::review_assign,
                      {{"review", std::move(about)}, {"run", std::move(run)}});
}

Result<Demands> demands_of(const govern::Ruling& ruling) {
  if (!ruling.allowed()) {
    return ruling.to_error();
  }
  Demands out;
  for (const JsonObject& obligation : ruling.decision.obligations) {
    auto taken = take(obligation, out);
    if (!taken.ok()) {
      return std::move(taken).error();
    }
  }
  return out;
}

void add_roles(const std::vector<std::string>& more, std::vector<std::string>& roles) {
  for (const std::string& role : more) {
    if (std::find(roles.begin(), roles.end(), role) == roles.end()) {
      roles.push_back(role);
    }
  }
}

}  // namespace aios::review::detail

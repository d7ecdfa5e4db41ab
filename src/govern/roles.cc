// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/roles.h"

#include "core/text.h"
#include "govern/identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aios::govern {
namespace {

struct Rule {
  Action action;
  std::string_view name;
  std::string_view roles;  // besides admin, who may do everything
};

constexpr auto access_rules = std::to_array<Rule>({
    {Action::read_runs, "read runs", "operator developer reviewer approver auditor"},
    {Action::start_runs, "start runs", "operator developer"},
    {Action::settle_runs, "cancel and settle runs", "operator"},
    {Action::send_events, "send events", "ingest developer"},
    {Action::answer_reviews, "answer reviews", "reviewer approver"},
    {Action::read_reviews, "read reviews", "reviewer approver operator developer auditor"},
    {Action::deploy, "deploy", "developer"},
    {Action::train_models, "train models", "developer"},
    {Action::promote_models, "promote models", "approver"},
    {Action::read_models, "read models", "developer reviewer approver operator auditor"},
    {Action::manage_keys, "manage keys", ""},
    {Action::manage_tenants, "manage tenants", ""},
    {Action::read_audit, "read the audit log", "auditor operator"},
    {Action::read_metrics, "read metrics", "operator developer auditor"},
    {Action::operate, "operate the server", "operator"},
    {Action::read_payloads, "read payloads", "auditor"},
});

const Rule& rule_of(Action action) {
  const auto at = std::find_if(access_rules.begin(), access_rules.end(),
                               [action](const Rule& rule) { return rule.action == action; });
  AIOS_ASSERT(at != access_rules.end());
  return *at;
}

Result<void> has_role_for(const Principal& principal, const Rule& rule) {
  const auto may = split(rule.roles, ' ');
  const auto has = [&](const std::string& role) {
    return role == "admin" || std::find(may.begin(), may.end(), role) != may.end();
  };
  if (principal.kind == "system" ||
      std::any_of(principal.roles.begin(), principal.roles.end(), has)) {
    return {};
  }
  std::string roles = "admin";
  for (const std::string_view role : may) {
    roles += role.empty() ? "" : fmt::format(", {}", role);
  }
  return Error(Code::permission_denied,
               fmt::format("'{}' may not {}: it has roles [{}], wanted one of [{}]", principal.id,
                           rule.name, join(principal.roles, ", "), roles))
      .page(511);
}

}  // namespace

bool detail::is_role(std::string_view role) {
  return std::find(role_names.begin(), role_names.end(), role) != role_names.end();
}

Result<void> Identity::allow(const Context& caller, Action action) {
  const bool of_all = action == Action::operate || action == Action::read_metrics ||
                      action == Action::manage_tenants;
  if (of_all && caller.tenant != default_tenant()) {
    return Error(Code::permission_denied,
                 fmt::format("tenant '{}' may not {}: that is about every tenant, and for the "
                             "first one, '{}', alone",
                             caller.tenant.text(), rule_of(action).name, default_tenant().text()))
        .page(518);
  }
  const Principal nobody;
  return has_role_for(caller.principal ? *caller.principal : nobody, rule_of(action));
}

std::vector<std::string> Identity::role_names() {
  return {detail::role_names.begin(), detail::role_names.end()};
}

std::vector<std::string> Identity::roles_that_may(Action action) {
  std::vector<std::string> out;
  for (const std::string_view role : detail::role_names) {
    if (has_role_for({"", "key", {std::string(role)}}, rule_of(action)).ok()) {
      out.emplace_back(role);
    }
  }
  return out;
}

}  // namespace aios::govern

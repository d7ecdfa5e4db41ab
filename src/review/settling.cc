// SPDX-License-Identifier: Apache-2.0
#include "review/settling.h"

#include "core/text.h"
#include "govern/identity.h"
#include "govern/policy_input.h"
#include "review/review.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::review {
namespace {

constexpr std::size_t approvers_max = 16;

Error cannot(std::string message) {
  return Error(Code::policy_denied, std::move(message)).page(629);
}

Result<void> take(const JsonObject& obligation, std::vector<std::string>& approvers) {
  const std::string_view type = text_or(obligation, "type", "");
  if (type != "approve") {
    return cannot(
        fmt::format("the policy attaches the obligation '{}' to a word on an incident, "
                    "wanted approve: no other can be carried out",
                    excerpt(type, 40)));
  }
  const Json* roles = find(obligation, "assignees");
  const auto known = govern::Identity::role_names();
  const bool texts = roles != nullptr && roles->is_array() && !roles->get_array().empty();
  for (const Json& role : texts ? roles->get_array() : JsonArray{Json()}) {
    const std::string name(role.is_string() ? view(role.get_string()) : "");
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return cannot(fmt::format("the policy demands an approval by '{}', wanted roles of {}",
                                excerpt(name, 40), join(known, ", ")));
    }
    if (std::find(approvers.begin(), approvers.end(), name) == approvers.end() &&
        approvers.size() < approvers_max) {
      approvers.push_back(name);
    }
  }
  return {};
}

Error not_another(std::string message) {
  return Error(Code::permission_denied, std::move(message)).page(631);
}

}  // namespace

SettleRuling ask_to_settle(const govern::Guard& guard, const Context& ctx, const Settling& said,
                           JsonObject run) {
  JsonObject about{{"id", said.incident}, {"phase", said.phase},       {"word", said.word},
                   {"step", said.step},   {"function", said.function}, {"call", said.call}};
  if (said.word == "happened") {
    about["result"] = said.result;
  }
  if (!said.by.empty()) {
    about["by"] = said.by;
  }
  const govern::Ruling ruling =
      guard.ask(ctx, govern::GuardPoint::incident_settle,
                govern::held(govern::GuardPoint::incident_settle,
                             {{"incident", std::move(about)}, {"run", std::move(run)}}));
  SettleRuling out;
  out.decision = ruling.decision;
  if (!ruling.allowed()) {
    out.refused = ruling.to_error();
    return out;
  }
  for (const JsonObject& obligation : ruling.decision.obligations) {
    auto taken = take(obligation, out.approvers);
    if (!taken.ok()) {
      out.refused = std::move(taken).error();
      return out;
    }
  }
  return out;
}

Error not_at_that(std::string_view incident, std::string_view by, std::string_view word) {
  return Error(Code::failed_precondition,
               by.empty() ? fmt::format("nobody said anything of incident {} that waits for "
                                        "approval",
                                        incident)
                          : fmt::format("'{}' said '{}' of incident {}, which waits for another "
                                        "person: approve it or send it back",
                                        by, word, incident))
      .page(630);
}

Result<void> check_second_person(const Context& ctx, const Proposed& proposed,
                                 const Reviews* reviews) {
  const Principal nobody;
  const Principal& principal = ctx.principal ? *ctx.principal : nobody;
  const bool may =
      std::any_of(principal.roles.begin(), principal.roles.end(), [&](const std::string& role) {
        return std::find(proposed.approvers.begin(), proposed.approvers.end(), role) !=
               proposed.approvers.end();
      });
  if (!may) {
    return not_another(fmt::format("'{}' has none of the roles {} that have to approve this word",
                                   principal.id, join(proposed.approvers, ", ")));
  }
  const auto same = [&](const std::string& other) {
    return reviews == nullptr ? principal.id == other
                              : reviews->same_person(ctx.tenant, principal.id, other);
  };
  if (same(proposed.by) || same(proposed.starter)) {
    return not_another(fmt::format("'{}' {}, wanted another person's word on what '{}' said",
                                   principal.id,
                                   same(proposed.by) ? "said this or holds the key that did"
                                                     : "started the run or holds the key that did",
                                   proposed.by));
  }
  return {};
}

}  // namespace aios::review

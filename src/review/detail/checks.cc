// SPDX-License-Identifier: Apache-2.0
#include "review/detail/checks.h"

#include "core/text.h"
#include "expr/schema.h"
#include "govern/identity.h"
#include "review/bounds.h"
#include "review/detail/records.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::review::detail {
namespace {

constexpr std::size_t title_bytes_max = 500;
constexpr std::size_t name_bytes_max = 64;

Result<void> check_dataset(const ReviewRequest& request) {
  if (request.dataset.empty()) {
    return {};
  }
  if (request.dataset.size() > name_bytes_max) {
    return bad_request(fmt::format("found a data set's name of {} bytes, wanted at most {}",
                                   request.dataset.size(), name_bytes_max))
        .page(605);
  }
  if (text_or(request.evidence, "text", "").empty()) {
    return bad_request(fmt::format("found no text in evidence.text, wanted the text that the "
                                   "answer labels for data set '{}'",
                                   request.dataset))
        .page(605);
  }
  const std::string field = label_field(request.form_schema);
  const Json* properties = find(request.form_schema, "properties");
  if (properties == nullptr || find(*properties, field) == nullptr) {
    return bad_request(fmt::format("found no property '{}' in form '{}', wanted one that is the "
                                   "label for data set '{}' (named by the form's x-label)",
                                   excerpt(field, 60), request.form, request.dataset))
        .page(605);
  }
  return {};
}

bool are_roles(const std::vector<std::string>& roles) {
  return !roles.empty() && roles.size() <= assignees_max &&
         std::none_of(roles.begin(), roles.end(),
                      [](const std::string& role) { return role.empty(); });
}

Result<void> check_times(const ReviewRequest& request) {
  if (request.due && request.due->count() <= 0) {
    return bad_request("found a due time that is not in the future, wanted one that is").page(604);
  }
  if (request.on_timeout == OnTimeout::fail && !request.due) {
    return bad_request("found onTimeout 'fail' without a due time, wanted both").page(604);
  }
  if (request.escalation.size() > escalations_max) {
    return bad_request(fmt::format("found {} steps of 'escalation', wanted at most {}",
                                   request.escalation.size(), escalations_max))
        .page(604);
  }
  Duration before{0};
  for (const Escalation& step : request.escalation) {
    if (step.after <= before || !are_roles(step.assignees)) {
      return bad_request(fmt::format("found a step of 'escalation' that is not later than the one "
                                     "before or has no roles, wanted times that grow from above "
                                     "zero, each with 1 to {} roles",
                                     assignees_max))
          .page(604);
    }
    before = step.after;
  }
  if (request.on_timeout == OnTimeout::fail && before > *request.due) {
    return bad_request(
               "found a step of 'escalation' behind the due time at which the step fails, "
               "wanted it before")
        .page(604);
  }
  return {};
}

}  // namespace

Error bad_request(std::string message) {
  return Error(Code::invalid_argument, std::move(message)).with("opening a review");
}

Result<void> check_request(const ReviewRequest& request) {
  if (request.title.empty() || request.title.size() > title_bytes_max) {
    return bad_request(fmt::format("found a title of {} bytes, wanted 1 to {}",
                                   request.title.size(), title_bytes_max))
        .page(604);
  }
  if (request.form.empty() || request.form.size() > name_bytes_max) {
    return bad_request(fmt::format("found a form's name of {} bytes, wanted 1 to {}",
                                   request.form.size(), name_bytes_max))
        .page(604);
  }
  if (!are_roles(request.assignees)) {
    return bad_request(fmt::format("found {} assignees, wanted 1 to {} roles",
                                   request.assignees.size(), assignees_max))
        .page(604);
  }
  auto timed = check_times(request);
  if (!timed.ok()) {
    return timed;
  }
  auto schema = expr::Schema::compile(request.form_schema);
  if (!schema.ok()) {
    return std::move(schema).error().with(
        fmt::format("opening a review with form '{}'", request.form));
  }
  return check_dataset(request);
}

Error not_open(const ReviewInfo& info) {
  if (info.erased) {
    return Error(Code::failed_precondition,
                 fmt::format("review '{}' was erased with its data subject", info.id))
        .page(601);
  }
  if (info.answered) {
    return Error(Code::failed_precondition,
                 fmt::format("review '{}' was answered by '{}' at {}", info.id, info.answered_by,
                             to_rfc3339(*info.answered)))
        .page(601);
  }
  return Error(Code::failed_precondition,
               fmt::format("review '{}' is {}, wanted an open one", info.id, info.status))
      .page(601);
}

Result<void> check_role(const Context& ctx, const ReviewInfo& info,
                        const std::vector<std::string>& roles) {
  if (ctx.principal) {
    for (const std::string& role : ctx.principal->roles) {
      if (std::find(roles.begin(), roles.end(), role) != roles.end()) {
        return {};
      }
    }
  }
  return Error(Code::permission_denied,
               fmt::format("review '{}' is for {}, '{}' has no such role", info.id,
                           join(roles, ", "), ctx.principal ? ctx.principal->id : ""))
      .page(602);
}

Result<void> check_may_move(const Context& ctx, const ReviewInfo& info) {
  const bool settles = govern::Identity::allow(ctx, govern::Action::settle_runs).ok();
  return settles ? Result<void>() : check_role(ctx, info, info.assignees);
}

Result<void> check_answer(const ReviewInfo& info, const Json& answer) {
  auto schema = expr::Schema::compile(info.form_schema);
  if (!schema.ok()) {
    return std::move(schema).error();
  }
  auto issues = schema->issues(answer);
  if (!issues.ok()) {
    return std::move(issues).error();
  }
  std::vector<std::string> places;
  for (const expr::SchemaIssue& issue : *issues) {
    const char* place = issue.instance_path.empty() ? "/" : issue.instance_path.c_str();
    places.push_back(fmt::format("{}: {}", place, excerpt(issue.message, 200)));
  }
  if (!info.dataset.empty() && text_or(answer, label_field(info.form_schema), "").empty()) {
    places.push_back(fmt::format("/{}: wanted a text, it is the label for data set '{}'",
                                 label_field(info.form_schema), info.dataset));
  }
  if (places.empty()) {
    return {};
  }
  return Error(Code::invalid_argument,
               fmt::format("the answer does not fit form '{}': {}", info.form, join(places, "; ")))
      .page(603);
}

Result<void> check_said_roles(const std::vector<std::string>& roles) {
  if (!are_roles(roles)) {
    return Error(Code::invalid_argument,
                 fmt::format("found {} roles, wanted 1 to {}, none of them empty", roles.size(),
                             assignees_max))
        .page(614);
  }
  const auto known = govern::Identity::role_names();
  for (const std::string& role : roles) {
    if (std::find(known.begin(), known.end(), role) == known.end()) {
      return Error(Code::invalid_argument,
                   fmt::format("found the role '{}'{}", excerpt(role, 40), hint(role, known)))
          .page(614);
    }
  }
  const auto may = govern::Identity::roles_that_may(govern::Action::answer_reviews);
  const auto mute = std::find_if(roles.begin(), roles.end(), [&may](const std::string& role) {
    return std::find(may.begin(), may.end(), role) == may.end();
  });
  if (mute != roles.end()) {
    return Error(Code::invalid_argument,
                 fmt::format("found the role '{}', which may answer no review, wanted of {}", *mute,
                             join(may, ", ")))
        .page(614);
  }
  return {};
}

Result<void> check_reason(const std::string& reason) {
  if (!trim(reason).empty() && reason.size() <= reason_bytes_max) {
    return {};
  }
  return Error(Code::invalid_argument, fmt::format("found a reason of {} bytes, wanted 1 to {}",
                                                   reason.size(), reason_bytes_max))
      .page(614);
}

Result<void> check_free(const Context& ctx, const ReviewInfo& info, Time now) {
  const Claim* claim = info.claim_at(now);
  if (claim == nullptr || (ctx.principal && claim->by == ctx.principal->id)) {
    return {};
  }
  return Error(Code::failed_precondition, fmt::format("'{}' has review '{}' in hand until {}",
                                                      claim->by, info.id, to_rfc3339(claim->until)))
      .page(608);
}

Result<void> check_version(const ReviewInfo& info, std::uint64_t version) {
  if (version == 0 || version == info.version) {
    return {};
  }
  return Error(Code::aborted, fmt::format("review '{}' is at version {}, not at {} as you saw it",
                                          info.id, info.version, version))
      .page(609);
}

}  // namespace aios::review::detail

// SPDX-License-Identifier: Apache-2.0
// What a time that has come makes of a question: it is overdue, goes to further roles, or ends.
#include "review/detail/checks.h"
#include "review/detail/policy.h"
#include "review/detail/records.h"
#include "review/review.h"

#include <algorithm>
#include <utility>

namespace aios::review {
namespace {

/// Clocks that are kept in step differ by less.
constexpr Duration ahead_least = std::chrono::minutes(1);

JsonArray texts(const std::vector<std::string>& values) {
  JsonArray out;
  for (const std::string& value : values) {
    out.emplace_back(value);
  }
  return out;
}

/// What was asked at a time that is yet to come was asked by a clock that was ahead: its times as
/// if that had been right. @param at  a time that has come, by the clock of when it was asked for
bool bring_back(ReviewInfo& info, Time now, Time at) {
  const Duration ahead = info.created - now;
  if (ahead <= ahead_least || !info.next_step()) {
    return false;
  }
  const Duration by = std::max(ahead, at - now);
  info.created = info.created - by;
  if (info.due) {
    info.due = *info.due - by;
  }
  return true;
}

}  // namespace

/// The next step of the escalation. A policy that does not let it leaves the roles as they are, and
/// the log tells so.
void Reviews::escalate(const Context& ctx, ReviewInfo& info, const JsonObject& run, Due& out) {
  const Escalation& step = info.escalation[info.escalations_done++];
  ReviewInfo wanted = info;
  detail::add_roles(step.assignees, wanted.assignees);
  auto ruling = guard_->ask(ctx, govern::GuardPoint::review_assign,
                            detail::guard_facts(wanted, "escalate", {}, run));
  auto demands = detail::demands_of(ruling);
  auto leaf = detail::leaf_facts(info, demands.ok() ? "escalated" : "escalation_refused");
  leaf.facts["assignees"] = texts(step.assignees);
  leaf.decisions.push_back(ruling.decision);
  out.leaves.push_back(govern::make_leaf(ctx, clock_->now(), leaf));
  if (!demands.ok()) {
    return;
  }
  info.assignees = std::move(wanted.assignees);
  detail::add_roles(step.assignees, info.escalated_to);
  detail::add_roles(step.assignees, out.escalated_to);
  detail::add_roles(demands->approvers, info.approvers);
  info.priority = std::max(info.priority, demands->priority.value_or(0));
}

Task<Result<Due>> Reviews::prepare_due(Context ctx, std::string review_id, Time at,
                                       JsonObject run) {
  auto found = co_await row(ctx, std::move(review_id));
  if (!found.ok()) {
    co_return std::move(found).error();
  }
  auto record = detail::record_from(*found);
  if (!record.ok()) {
    co_return std::move(record).error();
  }
  ReviewInfo& info = record->info;
  Due out;
  if (info.erased || !info.waits()) {
    out.info = info;
    co_return out;
  }
  const Time now = clock_->now();
  const Time asked = info.created;
  const bool was_ahead = bring_back(info, now, at);
  const Time until = was_ahead ? now : std::max(now, at);
  if (was_ahead) {
    auto leaf = detail::leaf_facts(info, "brought_back");
    leaf.facts["created"] = to_rfc3339(asked);
    leaf.facts["now_created"] = to_rfc3339(info.created);
    out.leaves.push_back(govern::make_leaf(ctx, now, leaf));
  }
  while (info.escalations_done < info.escalation.size() &&
         info.created + info.escalation[info.escalations_done].after <= until) {
    escalate(ctx, info, run, out);
  }
  if (info.due && !info.overdue && *info.due <= until) {
    info.overdue = true;
    out.overdue = true;
    out.failed = info.on_timeout == OnTimeout::fail;
    info.status = out.failed ? "expired" : info.status;
    auto leaf = detail::leaf_facts(info, out.failed ? "expired" : "overdue");
    leaf.facts["due"] = to_rfc3339(*info.due);
    out.leaves.push_back(govern::make_leaf(ctx, now, leaf));
  }
  if (!out.leaves.empty()) {
    JsonObject told{{"overdue", out.overdue}, {"escalated_to", texts(out.escalated_to)}};
    out.writes.push_back(
        detail::to_write(*record, detail::due_event, now, to_text(Json(std::move(told)))));
  }
  out.next_step = info.next_step();
  out.info = info;
  co_return out;
}

}  // namespace aios::review

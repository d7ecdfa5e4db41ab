// SPDX-License-Identifier: Apache-2.0
#include "review/review.h"

#include "govern/opening.h"
#include "review/detail/checks.h"
#include "review/detail/desk.h"
#include "review/detail/policy.h"
#include "review/detail/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::review {
namespace {

constexpr std::size_t question_bytes_max = std::size_t{1} << 20;

ReviewInfo to_info(ReviewRequest& request, Time now) {
  ReviewInfo info;
  info.title = std::move(request.title);
  info.form = std::move(request.form);
  info.status = "open";
  info.run_id = std::move(request.run_id);
  info.step = std::move(request.step);
  info.workflow = std::move(request.workflow);
  info.form_schema = std::move(request.form_schema);
  info.evidence = std::move(request.evidence);
  info.suggestion = std::move(request.suggestion);
  info.assignees = std::move(request.assignees);
  info.dataset = std::move(request.dataset);
  info.priority = std::clamp(request.priority, 0, priority_max);
  info.on_timeout = request.on_timeout;
  info.escalation = std::move(request.escalation);
  info.created = now;
  if (request.due) {
    info.due = now + *request.due;
  }
  return info;
}

}  // namespace

Reviews::Reviews(store::Store& store, const govern::Guard& guard, runtime::Clock& clock,
                 runtime::Random& random)
    : store_(&store),
      guard_(&guard),
      clock_(&clock),
      random_(&random),
      desk_(std::make_unique<Desk>()) {}

Reviews::~Reviews() = default;

Task<govern::Refusable<Opened>> Reviews::open(Context ctx, ReviewRequest request, JsonObject run) {
  auto checked = detail::check_request(request);
  if (!checked.ok()) {
    co_return std::move(checked).error();
  }
  auto indexed = co_await index(ctx);
  if (!indexed.ok()) {
    co_return std::move(indexed).error();
  }
  if (desk_->size(ctx.tenant) >= waiting_max) {
    co_return Error(Code::resource_exhausted,
                    fmt::format("{} questions wait for people, wanted fewer than {}",
                                desk_->size(ctx.tenant), waiting_max),
                    Retry::same_call)
        .page(616);
  }
  const Time now = clock_->now();
  detail::Record record;
  record.subject = std::move(request.subject);
  record.info = to_info(request, now);
  ReviewInfo& info = record.info;
  auto ruling = guard_->ask(ctx, govern::GuardPoint::review_assign,
                            detail::guard_facts(info, "open", {}, std::move(run)));
  auto demands = detail::demands_of(ruling);
  auto leaf = detail::leaf_facts(info, demands.ok() ? "opened" : "refused");
  leaf.decisions.push_back(ruling.decision);
  if (!demands.ok()) {
    co_return govern::Refusal{std::move(demands).error(), {govern::make_leaf(ctx, now, leaf)}};
  }
  info.approvers = std::move(demands->approvers);
  info.priority = std::max(info.priority, demands->priority.value_or(0));
  info.id = runtime::new_id("rev", *clock_, *random_);
  leaf.facts["review"] = info.id;
  std::string question = detail::question_text(info);
  if (question.size() > question_bytes_max) {
    co_return detail::bad_request(fmt::format("found a question of {} bytes, wanted at most {}",
                                              question.size(), question_bytes_max))
        .page(604);
  }
  leaf.contents["payload"] = std::move(question);
  Opened opened;
  opened.id = info.id;
  opened.next_step = info.next_step();
  opened.leaf = govern::make_leaf(ctx, now, leaf);
  opened.write = detail::to_write(record, detail::opened_event, now, "");
  co_return opened;
}

Task<Result<store::StreamWrite>> Reviews::prepare_cancel(Context ctx, std::string review_id) {
  auto found = co_await row(std::move(ctx), std::move(review_id));
  if (!found.ok()) {
    co_return std::move(found).error();
  }
  auto record = detail::record_from(*found);
  if (!record.ok()) {
    co_return std::move(record).error();
  }
  if (!record->info.waits()) {
    co_return detail::not_open(record->info);
  }
  record->info.status = "cancelled";
  auto write = detail::to_write(*record, detail::cancelled_event, clock_->now(), "");
  if (record->info.erased) {
    write.state.reset();  // nothing is left that could be kept
    write.history.clear();
  }
  co_return write;
}

}  // namespace aios::review

// SPDX-License-Identifier: Apache-2.0
// What people say of a question: an answer, another person's word on it, other roles.
#include "core/crypto.h"
#include "core/text.h"
#include "govern/holder.h"
#include "govern/opening.h"
#include "review/detail/checks.h"
#include "review/detail/policy.h"
#include "review/detail/records.h"
#include "review/review.h"

#include <fmt/format.h>

#include <utility>

namespace aios::review {

/// One thing that is said, on its way to what is written.
struct Reviews::Answering {
  detail::Record record;
  Said said;
  RunFacts run;
};

namespace {

/// The model's answer that was suggested: the run's newest inference with that label, else none.
const Json* inference_of(const JsonObject& memory, const std::string& label) {
  const Json* said = find(memory, "inferences");
  if (said == nullptr || !said->is_array() || label.empty()) {
    return nullptr;
  }
  const Json* found = nullptr;
  for (const Json& one : said->get_array()) {
    found = text_or(one, "label", "") == label ? &one : found;
  }
  return found;
}

Correction to_correction(const ReviewInfo& info, const RunFacts& run, std::string id) {
  const std::string field = detail::label_field(info.form_schema);
  Correction row;
  row.id = std::move(id);
  row.dataset = info.dataset;
  row.text = text_or(info.evidence, "text", "");
  row.label = text_or(info.answer, field, "");
  row.was = text_or(info.suggestion, field, "");
  row.review = info.id;
  row.run = info.run_id;
  row.by = info.answered_by;
  row.at = *info.answered;
  row.approved_by = info.approved_by;
  row.event = run.event;
  row.event_source = run.event_source;
  row.workflow = info.workflow;
  if (const Json* inference = inference_of(run.memory, row.was)) {
    row.model = text_or(*inference, "alias", "");
    row.model_version = text_or(*inference, "version", "");
  }
  row.input_digest = to_hex(view(sha256(row.text)));
  row.suggested = info.suggestion;
  return row;
}

Error wrong_state(const ReviewInfo& info, std::string_view wanted) {
  return Error(Code::failed_precondition,
               info.status == "approval"
                   ? fmt::format("review '{}' has an answer of '{}' that waits for approval, "
                                 "wanted one that is {}",
                                 info.id, info.proposal ? info.proposal->by : "", wanted)
                   : fmt::format("review '{}' is {}, wanted one that is {}", info.id, info.status,
                                 wanted))
      .page(611);
}

}  // namespace

bool Reviews::same_person(const TenantId& tenant, const std::string& one,
                          const std::string& other) const {
  if (one == other || !holder_ || one.empty() || other.empty()) {
    return one == other;
  }
  return govern::same_holder(holder_(tenant, one), holder_(tenant, other));
}

/// Never who proposed the answer, nor who started the run, under whichever key.
Result<void> Reviews::check_approver(const Context& ctx, const Answering& at) const {
  const ReviewInfo& info = at.record.info;
  auto may = detail::check_role(ctx, info, info.approvers);
  if (!may.ok()) {
    return may;
  }
  const std::string& id = ctx.principal->id;
  const bool proposed = same_person(ctx.tenant, id, info.proposal->by);
  if (proposed || same_person(ctx.tenant, id, at.run.starter)) {
    return Error(Code::permission_denied,
                 fmt::format("'{}' {}, wanted another person's word on the answer of '{}'", id,
                             proposed ? "proposed this answer or holds the key that did"
                                      : "started the run or holds the key that did",
                             info.proposal->by))
        .page(610);
  }
  return {};
}

Prepared Reviews::finish(Answering at, Json answer) {
  ReviewInfo& info = at.record.info;
  info.corrected = detail::is_corrected(info.suggestion, answer);
  info.answer = std::move(answer);
  info.status = "answered";
  info.claim.reset();
  Prepared out;
  out.outcome = "answered";
  out.run_id = info.run_id;
  out.step = info.step;
  JsonObject result{{"decision", "answered"},
                    {"answer", info.answer},
                    {"by", info.answered_by},
                    {"at", to_rfc3339(*info.answered)},
                    {"corrected", info.corrected}};
  out.memory = {{"id", info.id}, {"answer", info.answer}, {"by", info.answered_by}};
  if (info.approved) {
    result["approved_by"] = info.approved_by;
    out.memory["approved_by"] = info.approved_by;
  }
  out.result = std::move(result);
  out.writes.push_back(
      detail::to_write(at.record, info.approved ? detail::approved_event : detail::answered_event,
                       clock_->now(), to_text(info.answer)));
  if (!info.dataset.empty()) {
    const Correction labelled =
        to_correction(info, at.run, runtime::new_id("cor", *clock_, *random_));
    out.writes.push_back(detail::to_write(labelled, at.record.subject));
  }
  return out;
}

Task<govern::Refusable<Prepared>> Reviews::take_answer(Context ctx, Answering at) {
  ReviewInfo& info = at.record.info;
  const Time now = clock_->now();
  if (info.status != "open") {
    co_return wrong_state(info, "open");
  }
  auto may = detail::check_role(ctx, info, info.assignees);
  if (may.ok()) {
    may = detail::check_free(ctx, info, now);
  }
  if (may.ok()) {
    may = detail::check_answer(info, at.said.answer);
  }
  if (!may.ok()) {
    co_return std::move(may).error();
  }
  auto ruling =
      guard_->ask(ctx, govern::GuardPoint::review_assign,
                  detail::guard_facts(info, "answer", {{"answer", at.said.answer}}, at.run.memory));
  auto demands = detail::demands_of(ruling);
  if (demands.ok()) {
    detail::add_roles(demands->approvers, info.approvers);
    info.priority = std::max(info.priority, demands->priority.value_or(0));
  }
  const bool proposed = demands.ok() && !info.approvers.empty();
  auto leaf = detail::leaf_facts(info, !demands.ok() ? "refused"
                                       : proposed    ? "proposed"
                                                     : "answered");
  leaf.decisions.push_back(ruling.decision);
  leaf.contents["payload"] = govern::content_of(at.said.answer);
  if (!demands.ok()) {
    co_return govern::Refusal{std::move(demands).error(), {govern::make_leaf(ctx, now, leaf)}};
  }
  leaf.facts["corrected"] = detail::is_corrected(info.suggestion, at.said.answer);
  Json answer = std::move(at.said.answer);
  if (!proposed) {
    info.answered = now;
    info.answered_by = ctx.principal->id;
    Prepared out = finish(std::move(at), std::move(answer));
    out.leaf = govern::make_leaf(ctx, now, leaf);
    co_return out;
  }
  Prepared out;
  out.outcome = "proposed";
  out.run_id = info.run_id;
  out.step = info.step;
  std::string said = to_text(answer);
  info.status = "approval";
  info.proposal = Proposal{std::move(answer), ctx.principal->id, now};
  info.sent_back.reset();
  info.claim.reset();
  out.writes.push_back(detail::to_write(at.record, detail::proposed_event, now, std::move(said)));
  out.leaf = govern::make_leaf(ctx, now, leaf);
  co_return out;
}

/// The proposal as it stands, or back to who may answer.
Task<govern::Refusable<Prepared>> Reviews::approve(Context ctx, Answering at) {
  ReviewInfo& info = at.record.info;
  const Time now = clock_->now();
  const bool back = at.said.word == Said::Word::send_back;
  if (info.status != "approval" || !info.proposal) {
    co_return wrong_state(info, "in approval");
  }
  auto may = check_approver(ctx, at);
  if (may.ok()) {
    may = detail::check_free(ctx, info, now);
  }
  if (may.ok() && back) {
    may = detail::check_reason(at.said.reason);
  }
  if (!may.ok()) {
    co_return std::move(may).error();
  }
  JsonObject about{{"answer", info.proposal->answer}, {"by", info.proposal->by}};
  auto ruling = guard_->ask(
      ctx, govern::GuardPoint::review_assign,
      detail::guard_facts(info, back ? "send_back" : "approve", std::move(about), at.run.memory));
  auto demands = detail::demands_of(ruling);
  auto leaf = detail::leaf_facts(info, !demands.ok() ? "refused" : back ? "sent_back" : "answered");
  leaf.decisions.push_back(ruling.decision);
  leaf.facts["proposed_by"] = info.proposal->by;
  leaf.contents["payload"] = back ? govern::content_of(JsonObject{{"reason", at.said.reason}})
                                  : govern::content_of(info.proposal->answer);
  if (!demands.ok()) {
    co_return govern::Refusal{std::move(demands).error(), {govern::make_leaf(ctx, now, leaf)}};
  }
  Prepared out;
  if (back) {
    out.outcome = "sent_back";
    out.run_id = info.run_id;
    out.step = info.step;
    info.status = "open";
    info.sent_back = SentBack{ctx.principal->id, at.said.reason, now};
    info.proposal.reset();
    info.claim.reset();
    out.writes.push_back(detail::to_write(
        at.record, detail::sent_back_event, now,
        to_text(JsonObject{{"by", ctx.principal->id}, {"reason", at.said.reason}})));
  } else {
    leaf.facts["approved_by"] = ctx.principal->id;
    leaf.facts["corrected"] = detail::is_corrected(info.suggestion, info.proposal->answer);
    const Proposal proposal = *std::exchange(info.proposal, std::nullopt);
    info.answered = proposal.at;
    info.answered_by = proposal.by;
    info.approved = now;
    info.approved_by = ctx.principal->id;
    out = finish(std::move(at), proposal.answer);
  }
  out.leaf = govern::make_leaf(ctx, now, leaf);
  co_return out;
}

Task<govern::Refusable<Prepared>> Reviews::assign(Context ctx, Answering at) {
  ReviewInfo& info = at.record.info;
  const Time now = clock_->now();
  if (info.status != "open") {
    co_return wrong_state(info, "open");
  }
  auto may = detail::check_may_move(ctx, info);
  if (may.ok()) {
    may = detail::check_free(ctx, info, now);
  }
  if (may.ok()) {
    may = detail::check_said_roles(at.said.roles);
  }
  if (!may.ok()) {
    co_return std::move(may).error();
  }
  info.assignees = at.said.roles;
  auto ruling = guard_->ask(ctx, govern::GuardPoint::review_assign,
                            detail::guard_facts(info, "assign", {}, at.run.memory));
  auto demands = detail::demands_of(ruling);
  auto leaf = detail::leaf_facts(info, demands.ok() ? "assigned" : "refused");
  leaf.decisions.push_back(ruling.decision);
  JsonArray roles;
  for (const std::string& role : info.assignees) {
    roles.emplace_back(role);
  }
  leaf.facts["assignees"] = roles;
  if (!demands.ok()) {
    co_return govern::Refusal{std::move(demands).error(), {govern::make_leaf(ctx, now, leaf)}};
  }
  detail::add_roles(demands->approvers, info.approvers);
  info.priority = std::max(info.priority, demands->priority.value_or(0));
  info.claim.reset();
  Prepared out;
  out.outcome = "assigned";
  out.run_id = info.run_id;
  out.step = info.step;
  out.writes.push_back(
      detail::to_write(at.record, detail::assigned_event, now,
                       to_text(JsonObject{{"by", ctx.principal->id}, {"assignees", roles}})));
  out.leaf = govern::make_leaf(ctx, now, leaf);
  co_return out;
}

Task<govern::Refusable<Prepared>> Reviews::prepare(Context ctx, std::string review_id, Said said,
                                                   RunFacts run) {
  auto found = co_await row(ctx, std::move(review_id));
  if (!found.ok()) {
    co_return std::move(found).error();
  }
  auto record = detail::record_from(*found);
  if (!record.ok()) {
    co_return std::move(record).error();
  }
  const ReviewInfo& info = record->info;
  if (info.erased || !info.waits()) {
    co_return detail::not_open(info);
  }
  auto seen = detail::check_version(info, said.version);
  if (!seen.ok()) {
    co_return std::move(seen).error();
  }
  const Said::Word word = said.word;
  Answering at{std::move(*record), std::move(said), std::move(run)};
  Task<govern::Refusable<Prepared>> work;
  if (word == Said::Word::answer) {
    work = take_answer(std::move(ctx), std::move(at));
  } else if (word == Said::Word::assign) {
    work = assign(std::move(ctx), std::move(at));
  } else {
    work = approve(std::move(ctx), std::move(at));
  }
  auto done = co_await std::move(work);
  co_return done;
}

}  // namespace aios::review

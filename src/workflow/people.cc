// SPDX-License-Identifier: Apache-2.0
// Reviews and the run that waits for one: what a person says, and what its due times make of it.
// Each is one transition of both.
#include "core/text.h"
#include "review/review.h"
#include "workflow/detail/engine_impl.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

constexpr int attempts_max = 5;
constexpr std::string_view overdue_type = "aios.review.overdue";
/// As `emit`: a workflow that its own overdue reviews start must not go on for ever.
constexpr std::int64_t hops_max = 8;

bool waits_for(const RunState& state, const std::string& review_id) {
  return !state.ended() && state.waiting && state.effect &&
         state.waiting->reason == Waiting::Reason::review && state.waiting->subject == review_id;
}

review::RunFacts facts_of(const CallRequest& request, const RunState& state) {
  review::RunFacts out;
  out.memory = request.run;
  out.starter = state.starter;
  const auto& input = state.raw_input;
  if (input.is_array() && !input.get_array().empty()) {  // a run that an event started
    const auto& event = input.get_array().front();
    out.event = text_or(event, "id", "");
    out.event_source = text_or(event, "source", "");
  }
  return out;
}

RunEvent event_of(std::string_view outcome) {
  if (outcome == "proposed") {
    return RunEvent::review_proposed;
  }
  return outcome == "sent_back" ? RunEvent::review_sent_back : RunEvent::review_assigned;
}

void emit_overdue(const LiveRun& run, Machine at, const review::ReviewInfo& info) {
  auto& executor = run.shard->executor;
  JsonObject data{{"review", info.id},         {"run", run.id},
                  {"workflow", info.workflow}, {"form", info.form},
                  {"priority", info.priority}, {"assignees", texts(info.assignees)},
                  {"status", info.status}};
  if (info.due) {
    data["due"] = to_rfc3339(*info.due);
  }
  if (info.claim) {
    data["claimed_by"] = info.claim->by;
  }
  at.emit(JsonObject{{"specversion", "1.0"},
                     {"id", "overdue-" + info.id},
                     {"source", at.source()},
                     {"type", overdue_type},
                     {"subject", info.id},
                     {"time", to_rfc3339(executor.clock().now())},
                     {"datacontenttype", "application/json"},
                     {hops_attribute, at.event_hops() + 1},
                     {"data", std::move(data)}});
}

}  // namespace

Task<Result<void>> Engine::Impl::tell(Context ctx, std::string review_id, review::Said said) {
  if (services.functions.reviews == nullptr) {
    co_return Error(Code::unimplemented, "this engine has no reviews");
  }
  Result<void> done;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto info = co_await services.functions.reviews->get(ctx, review_id);
    if (!info.ok()) {
      co_return std::move(info).error();
    }
    auto work = tell_once(ctx, review_id, said);
    done = co_await on_shard(shard_of(info->run_id), ctx, std::move(work));
    if (done.ok() || done.error().code() != Code::aborted || done.error().page() == 609) {
      break;
    }
  }
  co_return done;
}

Task<Result<void>> Engine::Impl::tell_once(Context ctx, std::string review_id, review::Said said) {
  auto info = co_await services.functions.reviews->get(ctx, review_id);
  if (!info.ok()) {
    co_return std::move(info).error();
  }
  auto acquired = co_await acquire(ctx, info->run_id);
  if (!acquired.ok()) {
    co_return std::move(acquired).error();
  }
  const RunPtr run = *acquired;
  const bool waits = waits_for(run->state, review_id);
  review::RunFacts facts;
  if (waits) {
    facts = facts_of(request_of(*run), run->state);
  }
  auto prepared = co_await services.functions.reviews->prepare(ctx, review_id, std::move(said),
                                                               std::move(facts));
  if (!prepared.ok()) {
    auto refusal = std::move(prepared).refusal();
    if (!waits || refusal.leaves.empty()) {
      release(run);
      co_return std::move(refusal.error);
    }
    std::move(refusal.leaves.begin(), refusal.leaves.end(), std::back_inserter(run->leaves));
    note(*run, RunEvent::effect_refused, {{"review", review_id}, {"error", refusal.error.text()}});
    auto told = co_await change(run);
    co_return told.ok() ? std::move(refusal.error) : std::move(told).error();
  }
  if (!waits) {
    auto error =
        run->state.ended()
            ? has_ended(*run)
            : Error(Code::failed_precondition,
                    fmt::format("run '{}' does not wait for review '{}'", run->id, review_id))
                  .page(1014);
    release(run);
    co_return error;
  }
  for (auto& write : prepared->writes) {
    run->writes.push_back(std::move(write));
  }
  run->leaves.push_back(std::move(prepared->leaf));
  const std::string by = who(ctx);
  if (prepared->result) {
    remember(run->state.reviews, std::move(prepared->memory));
    note(*run, RunEvent::resumed, {{"review", review_id}, {"by", by}});
    machine(*run).call_done(*std::move(prepared->result));
  } else {
    note(*run, event_of(prepared->outcome), {{"review", review_id}, {"by", by}});
  }
  auto done = co_await change(run);
  co_return done;
}

/// Whether anybody would take its event: it would be a dead letter otherwise.
Task<Result<bool>> Engine::Impl::tells_overdue(RunPtr run) {
  auto at = machine(*run);
  if (at.event_hops() >= hops_max) {
    co_return false;
  }
  if (services.subscribed && services.subscribed(run->ctx.tenant, overdue_type, at.source())) {
    co_return true;
  }
  std::string type(overdue_type);
  auto found = co_await listening.wanted(run->ctx, services.store, &definitions, std::move(type));
  co_return found;
}

/// The time of the review that the run waits for has come. False: it could not be read, and is
/// looked at again soon.
Task<bool> Engine::Impl::take_due(RunPtr run, Time at) {
  const auto review_id = run->state.waiting->subject;
  const Context ctx = system_context(run->ctx.tenant, "reviews");
  auto memory = request_of(*run).run;
  auto due =
      co_await services.functions.reviews->prepare_due(ctx, review_id, at, std::move(memory));
  auto tells = Result<bool>(false);
  if (due.ok() && due->overdue) {
    tells = co_await tells_overdue(run);
  }
  if (!due.ok() || !tells.ok()) {
    if (services.log != nullptr) {
      services.log->error("workflow", due.ok() ? tells.error() : due.error(), &run->ctx);
    }
    timers->add(run->ctx.tenant, run->id, clock(*run).now() + again_pause);
    co_return false;
  }
  std::move(due->leaves.begin(), due->leaves.end(), std::back_inserter(run->leaves));
  std::move(due->writes.begin(), due->writes.end(), std::back_inserter(run->writes));
  if (!due->escalated_to.empty()) {
    note(*run, RunEvent::review_escalated,
         {{"review", review_id}, {"assignees", texts(due->escalated_to)}});
  }
  if (due->overdue) {
    note(*run, RunEvent::review_overdue, {{"review", review_id}, {"expired", due->failed}});
    if (*tells) {
      emit_overdue(*run, machine(*run), due->info);
    }
  }
  run->state.waiting->wake_at = due->next_step;
  if (due->failed) {
    auto problem = make_problem(ProblemType::timeout,
                                fmt::format("nobody answered review {} in time", review_id),
                                run->state.effect->step);
    machine(*run).call_failed(std::move(problem));
  }
  co_return true;
}

}  // namespace aios::workflow

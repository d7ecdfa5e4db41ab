// SPDX-License-Identifier: Apache-2.0
// What comes from outside while a run waits: a cancellation (a person's word on an incident:
// incidents.cc; on a review: people.cc). Each is one transition together with what the run does
// next, up to its next fence.
#include "workflow/detail/engine_impl.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace aios::workflow {

Error has_ended(const LiveRun& run) {
  return Error(Code::failed_precondition,
               fmt::format("run '{}' is {}", run.id, name_of(run.state.status)))
      .page(1013);
}

void Engine::Impl::open_incident(LiveRun& run, const Error& error) {
  auto& executor = run.shard->executor;
  const auto& effect = *run.state.effect;
  const auto now = executor.clock().now();
  const auto id = runtime::new_id("inc", executor.clock(), executor.random());
  JsonObject state{{"run", run.id},         {"workflow", run.state.workflow},
                   {"step", effect.step},   {"function", effect.function},
                   {"effect", effect.id},   {"attempt", effect.attempt},
                   {"error", error.text()}, {"opened", to_rfc3339(now)}};
  store::StreamWrite write;
  write.kind = store::StreamKind::incident;
  write.id = id;
  write.state = store::Payload{run.state.subject, to_text(Json(std::move(state)))};
  write.status = "open";
  run.writes.push_back(std::move(write));
  note(run, RunEvent::incident,
       {{"incident", id}, {"step", effect.step}, {"effect", effect.id}, {"error", error.text()}});
  Waiting waiting;
  waiting.reason = Waiting::Reason::incident;
  waiting.since = now;
  waiting.subject = id;
  waiting.error = error.text();
  run.state.waiting = std::move(waiting);
}

void Engine::Impl::close_incident(LiveRun& run, std::string_view resolution, const Context& by) {
  const auto id = run.state.waiting->subject;
  const auto now = clock(run).now();
  store::HistoryEvent event;
  event.type = 1;
  event.time = now;
  event.data = {run.state.subject,
                to_text(JsonObject{{"resolution", resolution}, {"by", who(by)}})};
  store::StreamWrite write;
  for (auto& pending : run.writes) {
    if (pending.kind == store::StreamKind::incident && pending.id == id) {
      pending.status = "closed";
      pending.end = store::StreamEnd::closed;
      return;  // opened a moment ago and not committed yet
    }
  }
  write.kind = store::StreamKind::incident;
  write.id = id;
  write.expected_version = 1;
  write.history.push_back(std::move(event));
  write.status = "closed";
  write.end = store::StreamEnd::closed;
  run.writes.push_back(std::move(write));
}

/// Goes on with a run that was changed and is acquired; returns when the change is durable.
Task<Result<void>> Engine::Impl::change(RunPtr run) {
  runtime::OneShot<void> done;
  run->ack = done;
  spawn(*run->shard, drive(run));
  const Context forever;
  auto durable = co_await done.wait(forever);
  co_return durable;
}

/// Whether nobody knows what the call under way did outside.
bool Engine::Impl::may_have_acted(const LiveRun& run) const {
  const auto& effect = run.state.effect;
  if (!effect || effect->maybe_happened || effect->phase != EffectState::Phase::intent) {
    return effect && effect->maybe_happened;
  }
  const auto found = functions.find(effect->function);  // as after a crash: its class says it
  const auto plan = found == functions.end()
                        ? Result<CallPlan>(Error(Code::not_found, "no such function"))
                        : found->second->plan(run.ctx, request_of(run));
  return !plan.ok() || acts(plan->effect);
}

/// The run ends, unless that would hide an effect that may have happened: then it waits for a
/// person at its incident, and ends once that is settled.
void Engine::Impl::cancel_now(LiveRun& run) {
  auto& state = run.state;
  if (run.cancel_leaf) {
    run.leaves.push_back(*std::exchange(run.cancel_leaf, std::nullopt));
  }
  const bool at_incident = state.waiting && state.waiting->reason == Waiting::Reason::incident;
  if (state.children && run.log.children.empty()) {  // they are to end first
    run.cancel_requested = false;
    state.cancel_asked = true;
    state.cancel_reason = run.cancel_reason;
    return;
  }
  if (!at_incident && !may_have_acted(run)) {
    machine(run).cancel(run.cancel_reason);
    return;
  }
  run.cancel_requested = false;
  state.cancel_asked = true;
  state.cancel_reason = run.cancel_reason;
  if (!at_incident) {
    open_incident(run, Error(Code::cancelled,
                             "the run was cancelled while it was not known whether the call "
                             "happened"));
  }
}

Task<Result<void>> Engine::Impl::cancel_run(Context ctx, std::string run_id, std::string reason) {
  auto& shard = shard_of(run_id);
  const auto found = shard.runs.find(run_id);
  if (found != shard.runs.end() && found->second->busy && found->second->ctx.tenant == ctx.tenant) {
    ask_to_cancel(ctx, *found->second, reason);
    // Ends what it waits for, but for an attempt that acts: to hang up would only hide what it did.
    if (found->second->ctx.cancel && !found->second->acting) {
      found->second->ctx.cancel->cancel();
    }
  }
  auto acquired = co_await acquire(ctx, run_id);
  if (!acquired.ok()) {
    co_return std::move(acquired).error();
  }
  const RunPtr run = *acquired;
  if (run->state.ended()) {
    const bool cancelled = run->state.status == RunStatus::cancelled;
    auto error = has_ended(*run);
    release(run);
    if (cancelled) {
      co_return Result<void>();
    }
    co_return error;
  }
  ask_to_cancel(ctx, *run, std::move(reason));
  auto done = co_await change(run);
  co_return done;
}

}  // namespace aios::workflow

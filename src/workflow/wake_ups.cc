// SPDX-License-Identifier: Apache-2.0
// Wake-ups: when a run's time comes, it is taken up again, put off, or left to whoever has it.
#include "workflow/detail/engine_impl.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

/// A run that this program cannot read is asked for again: a newer one may.
constexpr Duration unreadable_pause = std::chrono::hours(1);
/// Clocks that are kept in step differ by less.
constexpr Duration ahead_least = std::chrono::minutes(1);

/// What began at a time that is yet to come began when the clock was ahead: by so much, or by as
/// much as `at`, which has come, lies ahead. True: it had.
bool bring_back(Time* from, std::optional<Time>* until, Time now, Time at) {
  const Duration ahead = *from - now;
  if (ahead <= ahead_least) {
    return false;
  }
  const Duration by = std::max(ahead, at - now);
  *from = *from - by;
  if (*until) {
    *until = **until - by;
  }
  return true;
}

/// The run's times as if the clock had been right when they were asked for. A person's due time is
/// the review's: see take_due().
bool bring_back(RunState& state, Time now, Time at) {
  bool changed = bring_back(&state.created, &state.deadline, now, at);
  if (auto& waiting = state.waiting) {
    changed = bring_back(&waiting->since, &waiting->wake_at, now, at) || changed;
  }
  for (auto& frame : state.frames) {
    changed = (frame.entered && bring_back(&frame.started, &frame.deadline, now, at)) || changed;
  }
  return changed;
}

}  // namespace

std::optional<Time> next_wake(const RunState& state) {
  if (state.waiting && state.waiting->reason == Waiting::Reason::incident) {
    return {};
  }
  std::optional<Time> at = state.waiting ? state.waiting->wake_at : std::optional<Time>();
  const auto earlier = [&](const std::optional<Time>& other) {
    if (other && (!at || *other < *at)) {
      at = other;
    }
  };
  if (state.children && state.children->stopping) {
    return at;  // what its time is up for has been done
  }
  earlier(state.deadline);
  for (const auto& frame : state.frames) {
    if (frame.entered) {
      earlier(frame.deadline);
    }
  }
  return at;
}

void Engine::Impl::wake(const TenantId& tenant, const TimerQueue::Sleeper& sleeper, Time at,
                        Places::Place place) {
  auto& shard = shard_of(sleeper.id);
  if (sleeper.kind == store::StreamKind::kept_event) {
    spawn(shard, kept_events->time_is_over(tenant, sleeper.id, std::move(place)));
    return;
  }
  spawn(shard, wake_run(tenant, sleeper.id, at, std::move(place)));
}

void Engine::Impl::warn_clock(Duration step) const {
  if (services.log != nullptr) {
    services.log->write(
        observe::Level::warn, "workflow",
        "the wall clock was set: what runs wait for comes after as long as before",
        {{"seconds", std::chrono::duration_cast<std::chrono::seconds>(step).count()}}, nullptr);
  }
}

/// @param at  the time that has come; a wall clock that was set back may not say so
Task<void> Engine::Impl::wake_run(TenantId tenant, std::string run_id, Time at,
                                  Places::Place place) {
  auto& shard = shard_of(run_id);
  const auto here = shard.runs.find(run_id);
  if (here != shard.runs.end() && here->second->busy && here->second->ctx.tenant == tenant) {
    here->second->woken = true;  // whoever has it looks at the time when they are through
    co_return;
  }
  if (stopping || shard.putting_off.contains(run_id)) {
    co_return;
  }
  if (held(tenant)) {
    timers->add(tenant, run_id, shard.executor.clock().now() + again_pause);
    co_return;
  }
  const Context ctx = system_context(tenant, "wake-ups");
  auto run = co_await acquire(ctx, run_id);
  if (!run.ok()) {
    shard.putting_off.insert(run_id);
    co_await not_woken(ctx, run_id, std::move(run).error());
    shard.putting_off.erase(run_id);
    co_return;
  }
  const RunPtr live = *run;
  auto& state = live->state;
  const auto now = shard.executor.clock().now();
  const auto due = next_wake(state);
  const auto has_come = [&](const std::optional<Time>& time) {
    return time && (*time <= now || *time == at);
  };
  const bool early = wakes_early(shard, *live) || turn_comes(*live);
  if (state.ended()) {
    pass_turn(run_id);
  }
  const bool waits = !state.ended() && state.waiting && !early && !has_come(due);
  const bool waited_out = state.waiting && has_come(state.waiting->wake_at);
  const bool brought_back = !state.ended() && bring_back(state, now, at);  // it is parked anew
  if (state.ended() || (waits && !brought_back)) {
    live->woken = true;
    release(live);
    co_return;
  }
  const bool asks = state.waiting && state.waiting->reason == Waiting::Reason::review;
  if (asks && (waited_out || brought_back)) {
    const bool told = co_await take_due(live, at);
    if (!told) {
      release(live);
      co_return;
    }
  } else if (!waits && state.waiting && !asks && (early || waited_out)) {
    machine(*live).wake();
  }
  live->place = std::move(place);
  co_await drive(live);
}

Task<void> Engine::Impl::not_woken(Context ctx, std::string run_id, Error error) {
  const auto now = shard_of(run_id).executor.clock().now();
  auto due = Result<bool>(true);
  if (error.code() == Code::not_found || error.code() == Code::data_loss) {
    pass_turn(run_id);  // there is no such run any more: it holds up nobody
  }
  if (error.code() == Code::unavailable || error.retry() == Retry::same_call) {
    timers->add(ctx.tenant, run_id, now + again_pause);
  } else {
    due = co_await put_off(ctx, run_id, now);
  }
  if (services.log != nullptr && !(due.ok() && !*due)) {
    services.log->error("workflow", error, &ctx);
  }
  if (services.log != nullptr && !due.ok()) {
    services.log->error("workflow", due.error(), &ctx);
  }
}

/// A run that cannot be read is moved behind those that are due, so that it does not stand before
/// them for ever; one whose data are erased is not woken again. False: that was done before.
Task<Result<bool>> Engine::Impl::put_off(Context ctx, std::string run_id, Time now) {
  auto row = co_await services.store->stream(ctx, store::StreamKind::run, run_id);
  if (!row.ok()) {
    co_return std::move(row).error();
  }
  if (!row->wake_at && order.has(run_id)) {  // others of its key wait behind it
    timers->add(ctx.tenant, run_id, now + unreadable_pause);
    co_return true;
  }
  if (!row->wake_at || *row->wake_at > now) {
    co_return false;
  }
  const auto until = now + unreadable_pause;
  store::StreamWrite write;
  write.kind = store::StreamKind::run;
  write.id = run_id;
  write.expected_version = row->version;
  write.status = row->status;
  write.label = row->label;
  write.end = row->end;
  if (!row->erased) {
    write.wake_at = until;
  }
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = services.store->epoch();
  transition.streams.push_back(std::move(write));
  auto done = co_await services.store->commit(ctx, std::move(transition));
  if (!done.ok()) {
    co_return std::move(done).error().with(fmt::format("putting off run {}", run_id));
  }
  if (!row->erased) {
    timers->add(ctx.tenant, run_id, until);
  }
  co_return true;
}

}  // namespace aios::workflow

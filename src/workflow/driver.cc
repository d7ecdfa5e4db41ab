// SPDX-License-Identifier: Apache-2.0
// One run's way through the world: turns of the machine, and a commit at each fence.
#include "workflow/detail/engine_impl.h"

#include "core/text.h"
#include "govern/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

constexpr std::size_t state_bytes_max = std::size_t{4} << 20;
constexpr std::size_t label_bytes_max = 64;

JsonArray texts(const std::vector<std::string>& values) {
  JsonArray out;
  for (const auto& value : values) {
    out.emplace_back(value);
  }
  return out;
}

/// A state that is too large to be kept faults the run; what made it large is dropped.
std::string bounded_state(LiveRun& run) {
  auto bytes = encode_state(run.state, run.definition.get());
  if (bytes.size() <= state_bytes_max) {
    return bytes;
  }
  const auto found = bytes.size();
  run.state.status = RunStatus::faulted;
  run.state.frames.clear();
  run.state.effect.reset();
  run.state.waiting.reset();
  run.state.output = nullptr;
  run.state.error =
      make_problem(ProblemType::runtime,
                   fmt::format("the run's data take {} bytes, at most {} are kept [AIOS-1032]",
                               found, state_bytes_max),
                   "/")
          .to_json();
  if (to_text(run.state.raw_input).size() > state_bytes_max / 2) {
    run.state.raw_input = nullptr;
  }
  return encode_state(run.state, run.definition.get());
}

}  // namespace

std::string_view name_of(RunEvent type) {
  switch (type) {
    case RunEvent::started: return "started";
    case RunEvent::checkpoint: return "checkpoint";
    case RunEvent::effect_intended: return "effect_intended";
    case RunEvent::effect_result: return "effect_result";
    case RunEvent::parked: return "parked";
    case RunEvent::resumed: return "resumed";
    case RunEvent::completed: return "completed";
    case RunEvent::faulted: return "faulted";
    case RunEvent::cancelled: return "cancelled";
    case RunEvent::effect_refused: return "effect_refused";
    case RunEvent::incident: return "incident";
    case RunEvent::incident_resolved: return "incident_resolved";
  }
  return "unknown";
}

void Engine::Impl::note(LiveRun& run, RunEvent type, JsonObject data) {
  store::HistoryEvent event;
  event.type = static_cast<std::uint16_t>(type);
  event.time = clock(run).now();
  event.data = {run.state.subject, to_text(Json(std::move(data)))};
  run.history.push_back(std::move(event));
}

void Engine::Impl::note_fence(LiveRun& run, RunEvent type, JsonObject data) {
  if (!run.log.path.empty()) {
    data["path"] = texts(run.log.path);
    if (run.log.path_dropped != 0) {
      data["path_dropped"] = run.log.path_dropped;
    }
    run.log.path.clear();
    run.log.path_dropped = 0;
  }
  note(run, type, std::move(data));
}

Task<void> Engine::Impl::begin(RunPtr run) {
  const bool fresh = run->shard->runs.emplace(run->id, run).second;
  if (!fresh) {
    run->ack->set(Error(Code::already_exists, fmt::format("there is a run '{}'", run->id)));
    co_return;
  }
  note(*run, RunEvent::started,
       {{"workflow", run->state.workflow}, {"version", run->state.version}});
  machine(*run).begin();
  if (metrics.started != nullptr) {
    metrics.started->add();
  }
  co_await drive(run);
}

Task<void> Engine::Impl::drive(RunPtr run) {
  bool more = true;
  while (more) {
    more = co_await turn(run);
  }
  if (run->ack) {
    run->ack->set(Error(Code::unavailable, "the engine is stopping", Retry::same_call).page(1015));
    run->ack.reset();
  }
  release(run);
}

/// One stretch up to a fence. False: the run parked, ended, was lost, or the engine stops.
Task<bool> Engine::Impl::turn(RunPtr run) {
  if (run->cancel_requested && !run->state.ended()) {
    if (run->state.waiting && run->state.waiting->reason == Waiting::Reason::incident) {
      close_incident(*run, "cancelled", run->ctx);
    }
    machine(*run).cancel(run->cancel_reason);
  }
  const auto pause = machine(*run).advance();
  co_await close_abandoned_reviews(run);
  if (pause == Pause::ended) {
    end_history(*run);
    const bool durable = co_await commit(run);
    if (durable) {
      metrics.ended(run->state.status);
      notify_ended(run->id);
    }
    co_return false;
  }
  if (pause == Pause::wait) {
    co_await park(run);
    co_return false;
  }
  if (pause == Pause::yielded || stopping) {
    note_fence(*run, RunEvent::checkpoint, {});
    const bool durable = co_await commit(run);
    if (!durable || stopping) {
      co_return false;
    }
    co_await runtime::yield();
    co_return true;
  }
  const auto next = co_await call(run);
  co_return next == Next::advance;
}

Task<bool> Engine::Impl::park(RunPtr run) {
  run->state.status = RunStatus::waiting;
  const auto& waiting = *run->state.waiting;
  JsonObject data{{"reason", name_of(waiting.reason)}};
  if (waiting.wake_at) {
    data["wake_at"] = to_rfc3339(*waiting.wake_at);
  }
  if (!waiting.subject.empty()) {
    data["subject"] = waiting.subject;
  }
  note_fence(*run, RunEvent::parked, std::move(data));
  const bool durable = co_await commit(run);
  if (!durable) {
    co_return false;
  }
  if (const auto at = next_wake(run->state); at) {
    timers->add(run->ctx.tenant, run->id, *at);
  }
  co_return true;
}

void Engine::Impl::end_history(LiveRun& run) {
  const auto& state = run.state;
  JsonObject data;
  auto type = RunEvent::completed;
  if (state.status == RunStatus::faulted) {
    type = RunEvent::faulted;
    data["error"] = state.error;
  } else if (state.status == RunStatus::cancelled) {
    type = RunEvent::cancelled;
    data["reason"] = state.cancel_reason;
  }
  govern::LeafFacts facts;
  facts.kind = "run";
  facts.stream = run.id;
  facts.outcome = std::string(name_of(state.status));
  facts.facts["workflow"] = state.workflow;
  facts.facts["version"] = state.version;
  facts.payload = to_text(state.output);
  govern::Commitment commitment;
  run.leaves.push_back(govern::make_leaf(run.ctx, clock(run).now(), facts, &commitment));
  data["output_salt"] = to_hex(commitment.salt);
  note_fence(run, type, std::move(data));
}

Task<void> Engine::Impl::close_abandoned_reviews(RunPtr run) {
  if (run->log.abandoned_reviews.empty() || services.functions.reviews == nullptr) {
    co_return;
  }
  const auto reviews = std::exchange(run->log.abandoned_reviews, {});
  for (const auto& review : reviews) {
    auto write = co_await services.functions.reviews->prepare_cancel(run->ctx, review);
    if (write.ok()) {
      run->writes.push_back(std::move(*write));
    }
  }
}

store::StreamWrite Engine::Impl::run_write(LiveRun& run) {
  store::StreamWrite write;
  write.kind = store::StreamKind::run;
  write.id = run.id;
  write.expected_version = run.version;
  write.state = store::Payload{run.state.subject, bounded_state(run)};
  write.history = std::exchange(run.history, {});
  write.status = std::string(name_of(run.state.status));
  write.label = run.state.workflow.substr(0, label_bytes_max);
  if (run.state.ended()) {
    write.end = store::StreamEnd::closed;
  } else if (run.state.waiting) {
    write.wake_at = next_wake(run.state);
  } else {
    write.wake_at = clock(run).now();  // under way: whoever starts next goes on with it at once
  }
  return write;
}

store::Transition Engine::Impl::transition_of(LiveRun& run) {
  store::Transition out;
  if (run.with) {
    out = std::move(*run.with);
    run.with.reset();
  }
  out.tenant = run.ctx.tenant;
  out.epoch = services.store->epoch();
  out.streams.push_back(run_write(run));
  for (auto& write : std::exchange(run.writes, {})) {
    out.streams.push_back(std::move(write));
  }
  for (auto& leaf : std::exchange(run.leaves, {})) {
    out.leaves.push_back(std::move(leaf));
  }
  for (const auto& event : std::exchange(run.log.events, {})) {
    out.outbox.push_back({"event", run.id, {run.state.subject, to_text(event)}});
  }
  return out;
}

/// False: the run was lost to this process; the store has its last durable state.
Task<bool> Engine::Impl::commit(RunPtr run) {
  auto transition = transition_of(*run);
  Context ctx = run->ctx;
  ctx.cancel = nullptr;  // a cancelled commit would leave the outcome unknown
  auto spare = transition;
  auto done = co_await services.store->commit(ctx, std::move(transition));
  bool durable = done.ok();
  if (!durable) {
    durable = co_await commit_again(run, std::move(spare), std::move(done).error());
  }
  if (durable) {
    ++run->version;
    if (metrics.commits != nullptr) {
      metrics.commits->add();
    }
    if (run->ack) {
      run->ack->set(true);
      run->ack.reset();
    }
  }
  co_return durable;
}

/// A full store is waited for; anything else loses the run, which is then read again from the
/// store.
Task<bool> Engine::Impl::commit_again(RunPtr run, store::Transition transition, Error error) {
  const Context forever;
  Duration pause = std::chrono::milliseconds(20);
  while (error.code() == Code::resource_exhausted && error.retry() == Retry::same_call &&
         !run->ack && !stopping) {
    auto rested = co_await runtime::sleep_for(forever, pause);
    (void)rested;
    pause = std::min<Duration>(pause * 2, std::chrono::seconds(2));
    auto spare = transition;
    Context ctx = run->ctx;
    ctx.cancel = nullptr;
    auto done = co_await services.store->commit(ctx, std::move(spare));
    if (done.ok()) {
      co_return true;
    }
    error = std::move(done).error();
  }
  if (services.log != nullptr && !run->ack) {
    services.log->error("workflow", error, &run->ctx);
  }
  const bool asked = run->ack.has_value();
  if (asked) {
    run->ack->set(std::move(error).with(fmt::format("committing run {}", run->id)));
    run->ack.reset();
  }
  forget(run);
  if (run->version != 0) {
    timers->add(run->ctx.tenant, run->id, clock(*run).now() + std::chrono::seconds(1));
  }
  co_return false;
}

}  // namespace aios::workflow

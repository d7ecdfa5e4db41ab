// SPDX-License-Identifier: Apache-2.0
// A faulted run is tried again: from the task that faulted, with its data as they were. What its
// tasks did before stays done, for they are not begun again; a call of unknown outcome that was
// given up is found again by its call, as after a crash. Where a run that this one waited for did
// not complete, that goes on from where it stood, and is waited for again.
#include "core/text.h"
#include "workflow/detail/engine_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

Error cannot(const LiveRun& run, std::string_view why, int page) {
  return Error(Code::failed_precondition,
               fmt::format("run '{}' cannot be tried again: {}", run.id, why))
      .page(page);
}

constexpr int page_child = 1081;

Error not_faulted(const LiveRun& run) {
  return Error(Code::failed_precondition,
               fmt::format("run '{}' is {}, wanted faulted", run.id, name_of(run.state.status)))
      .page(1090);
}

/// Where the run stands must mean the same in both: each list it is in has the same tasks up to
/// there. What comes after may differ.
Result<void> same_way(const Definition& older, const Definition& newer, const RunState& state) {
  for (const auto& frame : state.frames) {
    const TaskList& was = *older.lists[frame.list];
    std::uint32_t at = 0;
    const TaskList* is = newer.list_at(was.pointer, &at);
    const auto differs = [&](std::string_view what) {
      return Error(Code::failed_precondition,
                   fmt::format("version {} {} than version {} in the list {}", newer.info.version,
                               what, older.info.version, was.pointer))
          .page(1092);
    };
    if (is == nullptr) {
      return Error(Code::failed_precondition,
                   fmt::format("version {} has no list {}, where the run stands",
                               newer.info.version, was.pointer))
          .page(1092);
    }
    const std::size_t reached = std::min<std::size_t>(frame.index + 1ULL, was.tasks.size());
    if (is->tasks.size() < reached ||
        (frame.index == was.tasks.size() && is->tasks.size() != was.tasks.size())) {
      return differs("has fewer or more tasks");
    }
    for (std::size_t i = 0; i < reached; ++i) {
      if (was.tasks[i].name != is->tasks[i].name || was.tasks[i].keyword != is->tasks[i].keyword) {
        return differs(fmt::format("has another task '{}' in the place of '{}'", is->tasks[i].name,
                                   was.tasks[i].name));
      }
    }
  }
  return {};
}

}  // namespace

std::optional<Error> Machine::cannot_retry() const {
  if (state_.steps >= steps_per_run_max) {
    return Error(Code::failed_precondition,
                 fmt::format("the run made {} steps, the most a run may make", state_.steps));
  }
  if (state_.frames.empty() || top().done || !top().entered ||
      top().index >= definition_.lists[top().list]->tasks.size() ||
      top().effects == state_.effects || state_.left) {
    return {};
  }
  return Error(Code::failed_precondition,
               fmt::format("{} faulted by itself after steps of it had acted: to begin it again "
                           "would do them twice",
                           task().reference));
}

void Machine::retry() {
  const auto now = clock_.now();
  state_.status = RunStatus::running;
  state_.error = nullptr;
  state_.faulted_at.reset();
  if (state_.frames.empty()) {
    begin();
    return;
  }
  if (state_.deadline) {
    state_.deadline = now + (*state_.deadline - state_.created);
  }
  for (auto& frame : state_.frames) {
    if (frame.entered && frame.deadline) {
      frame.deadline = now + (*frame.deadline - frame.started);
    }
  }
  if (state_.left) {
    for (auto& child : state_.left->runs) {
      child.refused = false;
    }
    state_.left->again = true;
    return;
  }
  auto& frame = state_.frames.back();
  if (!frame.done) {
    frame.entered = false;
    frame.input = nullptr;
    frame.deadline.reset();
    frame.memory.clear();
  }
}

/// The frames as the definition that it started with has them, and that definition.
Task<Result<std::shared_ptr<const Definition>>> Engine::Impl::where_it_faulted(RunPtr run) {
  const Context ctx = run->ctx;
  auto row = co_await services.store->stream(ctx, store::StreamKind::run, run->id);
  if (!row.ok()) {
    co_return no_run(run->id, std::move(row).error());
  }
  if (row->version != run->version) {
    co_return Error(Code::aborted, fmt::format("run '{}' was changed meanwhile", run->id),
                    Retry::same_call);
  }
  auto definition =
      co_await definitions.by_digest(ctx, run->state.digest, run->state.definition_blob);
  if (!definition.ok()) {
    co_return std::move(definition).error();
  }
  auto decoded = decode_frames(row->state, **definition, &run->state);
  if (!decoded.ok()) {
    co_return std::move(decoded).error();
  }
  if (services.restored_through && row->updated <= *services.restored_through) {
    mark_restored(*run);
  }
  co_return std::move(*definition);
}

/// The run goes on with the newest version that is installed, if it stands at the same place there.
Task<Result<void>> Engine::Impl::move_to_newest(RunPtr run) {
  auto newer = definitions.newest(run->ctx.tenant, run->state.workflow, "");
  if (!newer) {
    co_return definitions.unknown(run->ctx.tenant, run->state.workflow, "");
  }
  auto same = same_way(*run->definition, *newer, run->state);
  if (!same.ok()) {
    co_return std::move(same).error().with(fmt::format("trying run {} again", run->id));
  }
  for (auto& frame : run->state.frames) {
    const auto& pointer = run->definition->lists[frame.list]->pointer;
    newer->list_at(pointer, &frame.list);
  }
  const Context ctx = run->ctx;
  auto blob = co_await definitions.keep_text(ctx, newer);
  if (!blob.ok()) {
    co_return std::move(blob).error();
  }
  run->state.version = newer->info.version;
  run->state.digest = newer->info.digest;
  run->state.definition_blob = std::move(*blob);
  run->definition = std::move(newer);
  co_return Result<void>();
}

/// All that can refuse it; the run in memory is thrown away then.
Task<Result<void>> Engine::Impl::ready_to_retry(RunPtr run, RetryWith with) {
  if (!run->state.faulted_at) {
    co_return cannot(*run,
                     "where it stood was not kept, for it was too large or the run is of an "
                     "older program",
                     1091);
  }
  auto definition = co_await where_it_faulted(run);
  if (!definition.ok()) {
    co_return std::move(definition).error().with(fmt::format("trying run {} again", run->id));
  }
  run->definition = std::move(*definition);
  if (with == RetryWith::newest_definition) {
    auto moved = co_await move_to_newest(run);
    if (!moved.ok()) {
      co_return std::move(moved).error();
    }
  }
  if (auto why = machine(*run).cannot_retry()) {
    co_return cannot(*run, why->message(), 1093);
  }
  if (run->state.left) {
    run->state.left->newest = with == RetryWith::newest_definition;
    auto family = co_await family_ready(run, with);
    co_return family;
  }
  co_return Result<void>();
}

/// Of a run that is acquired and ready: who asks stands in its history, and it goes on.
Task<Result<void>> Engine::Impl::begin_again(Context ctx, RunPtr run, std::string by) {
  auto& state = run->state;
  if (!state.order_key.empty()) {  // the place that it had is another's by now
    std::string key = state.order_key;
    auto placed = co_await take_turn(run, std::move(key));
    if (!placed.ok()) {
      forget(run);
      co_return std::move(placed).error();
    }
  }
  JsonObject said{{"by", by},
                  {"step", text_or(state.error, "instance", "")},
                  {"version", state.version},
                  {"error", state.error}};
  note(*run, RunEvent::retried, std::move(said));
  run->leaves.push_back(run_leaf(ctx, *run, "retried"));
  run->cancel_requested = false;
  run->ctx.cancel = std::make_shared<CancelState>();
  machine(*run).retry();
  state.cancel_asked = false;
  state.cancel_reason.clear();
  if (!state.ended()) {
    wait_for_turn(*run);
  }
  auto done = co_await change(run);
  co_return done;
}

Task<Result<void>> Engine::Impl::retry_run(Context ctx, std::string run_id, RetryWith with) {
  auto acquired = co_await acquire(ctx, run_id);
  if (!acquired.ok()) {
    co_return std::move(acquired).error();
  }
  const RunPtr run = *acquired;
  if (run->state.status != RunStatus::faulted) {
    auto error = not_faulted(*run);
    release(run);
    co_return error;
  }
  if (run->state.parent && run->state.parent->awaited) {
    auto error =
        cannot(*run,
               fmt::format("run '{}' waited for it: try that one, and this goes on with it",
                           run->state.parent->run),
               page_child);
    release(run);
    co_return error;
  }
  auto ready = co_await ready_to_retry(run, with);
  if (!ready.ok()) {
    forget(run);  // what was read for it is not the run's state
    co_return std::move(ready).error();
  }
  auto done = co_await begin_again(ctx, run, who(ctx));
  co_return done;
}

Task<Result<void>> Engine::retry(Context ctx, std::string run_id, RetryWith with) {
  auto work = impl_->retry_run(ctx, run_id, with);
  auto done = co_await impl_->on_shard(impl_->shard_of(run_id), ctx, std::move(work));
  co_return done;
}

}  // namespace aios::workflow

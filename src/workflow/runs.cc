// SPDX-License-Identifier: Apache-2.0
// Runs in memory: who has one, how it gets there and when it goes.
#include "workflow/detail/engine_impl.h"

#include "govern/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

/// Parked runs that stay in memory, for each shard: waking one of them reads nothing.
constexpr std::size_t parked_in_memory_max = 2'000;
Context run_context(const TenantId& tenant, const std::string& run_id, const RunState& state) {
  Context ctx;
  ctx.tenant = tenant;
  ctx.principal =
      std::make_shared<const Principal>(Principal{run_id, "workflow", std::vector<std::string>()});
  ctx.trace = Trace::parse(state.traceparent);
  ctx.labels = state.labels;
  ctx.cancel = std::make_shared<CancelState>();
  return ctx;
}

Task<void> answer_to(Task<Result<void>> work, runtime::OneShot<void> done) {
  auto result = co_await std::move(work);
  done.set(std::move(result));
}

Task<void> set_after(Task<void> work, runtime::OneShot<void> done) {
  co_await std::move(work);
  done.set(Result<void>());
}

}  // namespace

EngineShard& Engine::Impl::shard_of(std::string_view run_id) {
  return shard_of_executor(services.shard_of(run_id));
}

EngineShard& Engine::Impl::shard_of_executor(runtime::Executor& executor) {
  std::lock_guard lock(shards_mutex);
  auto& shard = shards[&executor];
  if (!shard) {
    shard = std::make_unique<EngineShard>(executor);
  }
  return *shard;
}

RunPtr Engine::Impl::new_run(const Context& ctx, StartRequest request,
                             std::shared_ptr<const Definition> definition,
                             const std::string& blob) {
  auto run = std::make_shared<LiveRun>();
  auto* here = runtime::Executor::current();
  AIOS_ASSERT(here != nullptr);
  run->id = std::move(request.run_id);
  if (run->id.empty()) {
    run->id = runtime::new_id("run", here->clock(), here->random());
  }
  run->shard = &shard_of(run->id);
  run->busy = true;
  run->definition = std::move(definition);
  run->with = std::move(request.with);
  auto& state = run->state;
  state.workflow = run->definition->full_name();
  state.version = run->definition->info.version;
  state.digest = run->definition->info.digest;
  state.definition_blob = blob;
  state.subject = std::move(request.subject);
  state.traceparent = ctx.trace.valid() ? ctx.trace.traceparent() : "";
  state.starter = ctx.principal ? ctx.principal->id : "";
  state.labels = ctx.labels;
  state.created = here->clock().now();
  state.deadline = request.deadline;
  state.callback = std::move(request.callback);
  state.raw_input = std::move(request.input);
  run->ctx = run_context(ctx.tenant, run->id, state);
  if (ctx.principal && (!run->with || run->with->leaves.empty())) {  // an event's leaf says it
    run->leaves.push_back(run_leaf(ctx, *run, "started"));
  }
  return run;
}

void Engine::Impl::spawn(EngineShard& shard, Task<void> task) {
  if (runtime::Executor::current() == &shard.executor) {
    shard.group.spawn(std::move(task));
    return;
  }
  auto carried = std::make_shared<Task<void>>(std::move(task));
  shard.executor.post([&shard, carried] { shard.group.spawn(std::move(*carried)); });
}

Machine Engine::Impl::machine(LiveRun& run) {
  auto& executor = run.shard->executor;
  return Machine(run.id, *run.definition, run.state, run.log, executor.clock(), executor.random());
}

std::optional<Error> Engine::Impl::held(const TenantId& tenant) const {
  return services.held ? services.held(tenant) : std::nullopt;
}

Task<Result<RunPtr>> Engine::Impl::acquire(Context ctx, std::string run_id) {
  if (auto why = held(ctx.tenant)) {
    co_return std::move(*why);
  }
  auto& shard = shard_of(run_id);
  for (;;) {
    const auto found = shard.runs.find(run_id);
    if (found == shard.runs.end()) {
      break;
    }
    const RunPtr run = found->second;
    if (run->ctx.tenant != ctx.tenant) {
      co_return Error(Code::not_found,
                      fmt::format("no run '{}'; 'aios runs list' shows those there are", run_id))
          .page(1012);
    }
    if (!run->busy) {
      run->busy = true;
      co_return run;
    }
    const runtime::OneShot<void> turn_comes;
    run->queue.push_back(turn_comes);
    auto waited = co_await turn_comes.wait(ctx);
    if (!waited.ok()) {
      co_return std::move(waited).error();
    }
  }
  auto run = std::make_shared<LiveRun>();
  run->id = run_id;
  run->shard = &shard;
  run->ctx.tenant = ctx.tenant;
  run->busy = true;
  shard.runs[run_id] = run;  // others queue here while it is read
  auto loaded = co_await load(run);
  if (!loaded.ok()) {
    forget(run);
    co_return std::move(loaded).error();
  }
  co_return run;
}

Task<Result<void>> Engine::Impl::load(RunPtr run) {
  const Context ctx = run->ctx;
  auto row = co_await services.store->stream(ctx, store::StreamKind::run, run->id);
  if (!row.ok()) {
    co_return no_run(run->id, std::move(row).error());
  }
  if (row->erased) {
    co_return Error(Code::data_loss,
                    fmt::format("run '{}' was erased with its data subject", run->id))
        .page(1017);
  }
  auto state = decode_state(row->state);
  if (!state.ok()) {
    co_return std::move(state).error().with(fmt::format("loading run {}", run->id));
  }
  run->state = std::move(*state);
  run->version = row->version;
  run->indexed_durable = run->state.indexed.size();
  run->ctx = run_context(ctx.tenant, run->id, run->state);
  if (run->state.ended()) {
    co_return Result<void>();
  }
  if (auto& effect = run->state.effect; effect && effect->sent_at) {
    // By a wall clock that was ahead: nothing can have left later than now.
    effect->sent_at = std::min(*effect->sent_at, clock(*run).now());
  }
  if (auto& effect = run->state.effect; effect && effect->first_at) {
    effect->first_at = std::min(*effect->first_at, clock(*run).now());
  }
  note_loaded(*run, clock(*run), begun);
  if (auto& effect = run->state.effect; effect && effect->phase == EffectState::Phase::intent) {
    // Saved before the commit that let it leave: whoever sent it may have done so until just now.
    note_sent(*run, clock(*run), Duration(0));
  }
  if (services.restored_through && row->updated <= *services.restored_through) {
    mark_restored(*run);
  }
  auto definition =
      co_await definitions.by_digest(ctx, run->state.digest, run->state.definition_blob);
  if (!definition.ok()) {
    co_return std::move(definition).error();
  }
  run->definition = std::move(*definition);
  co_return decode_frames(row->state, *run->definition, &run->state);
}

void Engine::Impl::release(const RunPtr& run) {
  run->place.give_back();
  auto& shard = *run->shard;
  const auto found = shard.runs.find(run->id);
  if (found == shard.runs.end() || found->second != run) {
    return;  // it was lost, and perhaps somebody read it again
  }
  run->busy = false;
  if (std::exchange(run->woken, false) && !run->state.ended()) {
    const bool later = run->state.waiting && !shard.early.contains(run->id);
    const auto due = later ? next_wake(run->state) : clock(*run).now();
    if (due) {
      timers->add(run->ctx.tenant, run->id, *due);
    }
  }
  if (turn_comes(*run)) {  // while it was being parked
    timers->add(run->ctx.tenant, run->id, clock(*run).now());
  }
  if (!run->queue.empty()) {
    for (const auto& waiter : std::exchange(run->queue, {})) {
      waiter.set(Result<void>());
    }
    return;
  }
  if (run->state.ended() || shard.runs.size() > parked_in_memory_max) {
    shard.runs.erase(found);
  }
}

void Engine::Impl::forget(const RunPtr& run) {
  auto& shard = *run->shard;
  if (std::exchange(run->enters_line, false)) {
    pass_turn(run->id);  // it never did
  }
  const auto found = shard.runs.find(run->id);
  if (found != shard.runs.end() && found->second == run) {
    shard.runs.erase(found);
  }
  if (std::exchange(run->woken, false)) {
    timers->add(run->ctx.tenant, run->id, clock(*run).now() + again_pause);
  }
  for (const auto& waiter : std::exchange(run->queue, {})) {
    waiter.set(Result<void>());  // each reads it again for itself
  }
}

/// What it did since its last fence is dropped, and done again from there.
void Engine::Impl::lose(const RunPtr& run, Error error) {
  if (run->ack) {
    run->ack->set(std::move(error));
    run->ack.reset();
  }
  forget(run);
  if (run->version != 0) {
    timers->add(run->ctx.tenant, run->id, clock(*run).now() + again_pause);
  }
}

Task<Result<void>> Engine::Impl::on_shard(EngineShard& shard, Context ctx,
                                          Task<Result<void>> work) {
  if (stopping) {
    co_return Error(Code::unavailable, "the engine is stopping", Retry::same_call).page(1015);
  }
  runtime::OneShot<void> done;
  spawn(shard, answer_to(std::move(work), done));
  auto result = co_await done.wait(std::move(ctx));
  co_return result;
}

/// Runs `last` on the shard outside its group, and returns when nothing of it is left on that
/// thread; deadline_exceeded leaves it there.
Task<Result<void>> Engine::Impl::finish(EngineShard& shard, Task<void> last, Context ctx) {
  const runtime::OneShot<void> done;
  const runtime::OneShot<void> gone;
  const Context forever;
  auto carried = std::make_shared<Task<void>>(set_after(std::move(last), done));
  shard.executor.post([&shard, carried] { shard.admin.spawn(std::move(*carried)); });
  auto waited = co_await done.wait(std::move(ctx));
  if (!waited.ok()) {
    co_return std::move(waited).error();
  }
  shard.executor.post([gone] { gone.set(Result<void>()); });
  waited = co_await gone.wait(forever);
  co_return Result<void>();
}

std::vector<EngineShard*> Engine::Impl::all_shards() {
  std::vector<EngineShard*> all;
  std::lock_guard lock(shards_mutex);
  for (const auto& [executor, shard] : shards) {
    all.push_back(shard.get());
  }
  return all;
}

/// Cancels what the shard's runs wait for. @return how many runs are under way there
Task<std::uint64_t> Engine::Impl::cut(EngineShard* shard, Context ctx) {
  const runtime::OneShot<std::uint64_t> done;
  shard->executor.post([shard, done] {
    std::uint64_t count = 0;
    for (const auto& [id, run] : shard->runs) {
      if (run->busy) {
        ++count;
        if (run->ctx.cancel) {
          run->ctx.cancel->cancel();
        }
      }
    }
    done.set(count);
  });
  auto counted = co_await done.wait(std::move(ctx));
  co_return counted.ok() ? *counted : 0;
}

}  // namespace aios::workflow

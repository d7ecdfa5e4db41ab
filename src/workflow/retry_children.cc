// SPDX-License-Identifier: Apache-2.0
// A run whose children did not all complete is tried again: it waits for them anew, and those that
// did not complete are tried again, each from where it stood. What the parent's commit says is done
// to each child after it, also after a crash: who was tried again has another version.
#include "workflow/detail/engine_impl.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

constexpr int page_child = 1081;
constexpr int page_not_faulted = 1090;

Error cannot_go_on(const std::string& child, std::string_view why) {
  return Error(Code::failed_precondition,
               fmt::format("run '{}', which it waited for, cannot go on: {}", child, why))
      .page(page_child);
}

/// Asked again it may go otherwise.
bool may_pass(const Error& error) {
  return error.retry() == Retry::same_call || error.code() == Code::aborted ||
         error.code() == Code::unavailable || error.code() == Code::cancelled ||
         error.code() == Code::deadline_exceeded;
}

bool stood_still(const RunState& state) {
  return state.faulted_at &&
         (state.status == RunStatus::faulted || state.status == RunStatus::cancelled);
}

}  // namespace

/// Before the parent is told that it goes on: whether its children can. They are only looked at.
Task<Result<void>> Engine::Impl::family_ready(RunPtr run, RetryWith with) {
  for (const auto& child : run->state.left->runs) {
    auto look = std::make_shared<LiveRun>();
    look->id = child.id;
    look->shard = run->shard;
    look->ctx.tenant = run->ctx.tenant;
    auto loaded = co_await load(look);
    if (!loaded.ok() && may_pass(loaded.error())) {
      co_return std::move(loaded).error();
    }
    if (!loaded.ok()) {
      co_return cannot_go_on(child.id, loaded.error().text());
    }
    if (look->state.status == RunStatus::completed) {
      continue;
    }
    if (!stood_still(look->state)) {
      co_return cannot_go_on(child.id, fmt::format("it is {}, and where it stood was not kept",
                                                   name_of(look->state.status)));
    }
    auto ready = ready_to_retry(look, with);
    auto done = co_await std::move(ready);
    if (!done.ok() && may_pass(done.error())) {
      co_return std::move(done).error();
    }
    if (!done.ok()) {
      co_return cannot_go_on(child.id, done.error().text());
    }
  }
  co_return Result<void>();
}

/// @param memory  of its parent, which has taken over what it learned before, and what it left
/// open: of that a person may have said more since
Task<Result<void>> Engine::Impl::retry_child(Context ctx, std::string run_id, RetryWith with,
                                             std::shared_ptr<const RunState> memory) {
  auto acquired = co_await acquire(ctx, run_id);
  if (!acquired.ok()) {
    co_return std::move(acquired).error();
  }
  const RunPtr run = *acquired;
  if (!stood_still(run->state)) {
    auto error = cannot_go_on(run_id, name_of(run->state.status));
    release(run);
    co_return std::move(error).page(page_not_faulted);
  }
  auto ready = co_await ready_to_retry(run, with);
  if (!ready.ok()) {
    forget(run);  // what was read for it is not the run's state
    co_return std::move(ready).error();
  }
  const bool from_backup = run->state.from_backup;
  copy_memory(run->state, *memory);
  if (run->state.is_branch()) {
    run->state.open_effects = memory->open_effects;
  }
  run->state.from_backup = run->state.from_backup || from_backup;
  run->ctx.labels = run->state.labels;
  std::string by = run->state.parent->run;
  auto done = co_await begin_again(ctx, run, std::move(by));
  co_return done;
}

/// Marks those that are still to be tried. True: something changed, so they are to be read again.
Task<bool> Engine::Impl::try_children_again(RunPtr run, std::vector<ChildRead>* children) {
  auto& links = run->state.children->runs;
  const auto with =
      run->state.children->newest ? RetryWith::newest_definition : RetryWith::same_definition;
  auto memory = std::make_shared<RunState>();
  copy_memory(*memory, run->state);
  memory->open_effects = run->state.open_effects;
  bool changed = false;
  bool put_off = false;
  for (std::size_t i = 0; i < links.size(); ++i) {
    const auto& child = (*children)[i];
    const bool waits = child.state.ended() && child.state.status != RunStatus::completed &&
                       child.version != 0 && child.version == links[i].version && !links[i].refused;
    if (!waits) {
      continue;
    }
    const Context ctx = system_context(run->ctx.tenant, run->id);
    auto work = retry_child(ctx, links[i].id, with, memory);
    auto done = co_await on_shard(shard_of(links[i].id), ctx, std::move(work));
    const bool later = !done.ok() && may_pass(done.error());
    (*children)[i].stale = done.ok() || later;
    put_off = put_off || later;
    if (later) {
      continue;
    }
    changed = true;
    links[i].refused = !done.ok();
    if (!done.ok() && services.log != nullptr) {
      services.log->error("workflow", done.error(), &run->ctx);
    }
  }
  co_return changed && !put_off;
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
// Whose turn it is (detail/order.h), where runs start, park, end and are taken up again.
#include "workflow/detail/engine_impl.h"

#include <utility>

namespace aios::workflow {

/// Its place at the end of the line goes with its next commit: the first, or that of a retry.
Task<Result<void>> Engine::Impl::take_turn(RunPtr run, std::string key) {
  const Context ctx = run->ctx;
  auto read = co_await order.read(ctx, services.store);
  if (!read.ok()) {
    co_return std::move(read).error();
  }
  std::uint64_t version = 0;
  if (run->version != 0) {
    auto row = co_await services.store->stream(ctx, store::StreamKind::turn, run->id);
    if (!row.ok() && row.error().code() != Code::not_found) {
      co_return std::move(row).error();
    }
    version = row.ok() ? row->version : 0;
  }
  run->state.order_key = key;
  auto write = order.enter(
      {ctx.tenant, run->state.workflow, std::move(key), run->id, run->state.subject, version},
      clock(*run).now());
  if (!write.ok()) {
    co_return std::move(write).error();
  }
  if (!run->with) {
    run->with.emplace();
  }
  run->with->streams.push_back(std::move(*write));
  run->enters_line = true;
  co_return Result<void>();
}

/// Of a run that has begun: it goes no further while somebody is before it.
void Engine::Impl::wait_for_turn(LiveRun& run) {
  if (order.is_first(run.id)) {
    return;
  }
  Waiting waiting;
  waiting.reason = Waiting::Reason::turn;
  waiting.since = clock(run).now();
  waiting.subject = order.before(run.id);
  run.state.waiting = std::move(waiting);
}

bool Engine::Impl::turn_comes(const LiveRun& run) const {
  return run.state.waiting && run.state.waiting->reason == Waiting::Reason::turn &&
         order.is_first(run.id);
}

bool turn_is_over(const LiveRun& run) {
  const auto& waiting = run.state.waiting;
  return run.state.ended() || (waiting && (waiting->reason == Waiting::Reason::review ||
                                           waiting->reason == Waiting::Reason::incident));
}

void Engine::Impl::pass_turn(const std::string& run_id) {
  if (const auto next = order.leave(run_id)) {
    timers->add(next->first, next->second, services.timers->clock().now());
  }
}

/// The lines as they are in the store; who is first in one is looked at, whatever it waits for.
Task<Result<void>> Engine::Impl::read_turns(Context ctx) {
  auto tenants = co_await services.store->tenants_with_leaves(ctx);
  if (!tenants.ok()) {
    co_return std::move(tenants).error();
  }
  for (const auto& tenant : *tenants) {
    Context own = system_context(tenant, "turns");
    auto read = co_await order.read(std::move(own), services.store);
    if (!read.ok()) {
      co_return std::move(read).error();
    }
    const auto now = services.timers->clock().now();
    for (const auto& run_id : order.first_of(tenant)) {
      timers->add(tenant, run_id, now);
    }
  }
  co_return Result<void>();
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
// Runs that are held up by a system in trouble. Each has a wake-up of its own in the store; when
// the system answers again, those that this process knows of are woken at once.
#include "workflow/detail/engine_impl.h"

#include <utility>

namespace aios::workflow {
namespace {

/// For each shard; who comes beyond it waits for their own time.
constexpr std::size_t parked_max = 50'000;
constexpr int breaker_open_page = 908;

}  // namespace

void await_peer(LiveRun& run, const CallPlan& plan, const Error& error) {
  const bool held_up =
      run.state.waiting &&
      (run.state.waiting->reason == Waiting::Reason::blocked || error.page() == breaker_open_page);
  run.held_up_by = held_up ? plan.peer : std::string();
}

void park_for_peer(LiveRun& run) {
  auto peer = std::exchange(run.held_up_by, {});
  auto& parked = run.shard->parked;
  if (!peer.empty() && parked.size() < parked_max) {
    parked[run.id] = {run.ctx.tenant, std::move(peer)};
  }
}

void Engine::Impl::peer_recovered(const TenantId& tenant, const std::string& peer) {
  if (stopping) {
    return;
  }
  for (auto* shard : all_shards()) {
    shard->executor.post([shard, timers = timers, tenant, peer] {
      const auto now = shard->executor.clock().now();
      std::erase_if(shard->parked, [&](const auto& one) {
        const auto& [run_id, parked] = one;
        if (parked.tenant != tenant || parked.peer != peer) {
          return false;
        }
        shard->early.insert(run_id);
        timers->add(tenant, run_id, now);
        return true;
      });
    });
  }
}

bool wakes_early(EngineShard& shard, const LiveRun& run) {
  shard.parked.erase(run.id);
  const bool told = shard.early.erase(run.id) != 0;
  const auto& waiting = run.state.waiting;
  return told && waiting &&
         (waiting->reason == Waiting::Reason::blocked ||
          waiting->reason == Waiting::Reason::retry || waiting->reason == Waiting::Reason::lookup ||
          waiting->reason == Waiting::Reason::child);
}

}  // namespace aios::workflow

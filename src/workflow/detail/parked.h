// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/parked: what a run that parks leaves behind, and whether it goes on before its
// time. Threading: as LiveRun, on its shard.

#include "workflow/detail/engine_shard.h"
#include "workflow/detail/live_run.h"

#include <vector>

namespace aios::workflow {

// Who waits for an event (listeners.cc).
/// It looks by itself, should nobody have woken it.
void look_later(LiveRun& run);
/// What goes with the commit that parks a run, or takes it on.
void tell_listeners(LiveRun& run, std::vector<store::StreamWrite>* streams);

// Who waits for a peer (peers.cc).
/// For the commit that parks it: until that is durable there may be no such run.
void await_peer(LiveRun& run, const CallPlan& plan, const Error& error);
/// Of a run that is parked for good.
void park_for_peer(LiveRun& run);
/// Of a run in hand that was woken: whether it goes on although its time has not come.
bool wakes_early(EngineShard& shard, const LiveRun& run);

// Whose turn it is (turns.cc).
/// Whether the next run of the key may act: this one has ended, or a person has to.
bool turn_is_over(const LiveRun& run);

}  // namespace aios::workflow

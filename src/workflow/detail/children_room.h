// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/children_room: whether the runs that a step starts fit into one commit with it.

#include "store/transition.h"
#include "workflow/detail/live_run.h"
#include "workflow/problem.h"

#include <optional>
#include <vector>

namespace aios::workflow {

/// What to raise at the step, with the sizes; nothing where they fit.
std::optional<Problem> no_room_for(const LiveRun& run,
                                   const std::vector<store::StreamWrite>& begun);

}  // namespace aios::workflow

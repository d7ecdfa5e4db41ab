// SPDX-License-Identifier: Apache-2.0
#pragma once
// runtime/sim_wall: a simulated wall clock that somebody sets; time passes as before.

#include "core/time.h"
#include "runtime/executor.h"

namespace aios::runtime {

/// @param clock  of a SimExecutor. @param ahead  of what it says by itself, from now on
void set_sim_wall(Clock& clock, Duration ahead);

}  // namespace aios::runtime

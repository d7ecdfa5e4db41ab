// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/state_family: how a run's state says whose child it is, and whom it waits for.

#include "workflow/detail/state.h"

#include <string>
#include <utility>

namespace aios::workflow {

JsonObject to_json(const ParentState& parent);
JsonObject to_json(const ChildrenState& children);
/// Id and source of the event that started it, or the first of the runs that stand above it; empty:
/// none did.
std::pair<std::string, std::string> started_by(const RunState& state);
/// Both, from a whole state.
void take_family(const Json& in, RunState* out);

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/state_family: how a run's state says whose child it is, and whom it waits for.

#include "workflow/detail/state.h"

namespace aios::workflow {

JsonObject to_json(const ParentState& parent);
JsonObject to_json(const ChildrenState& children);
/// Both, from a whole state.
void take_family(const Json& in, RunState* out);

}  // namespace aios::workflow

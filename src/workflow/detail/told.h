// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/told: what is said of a run that somebody asked for, or asked something of.
// Threading: as LiveRun, on its shard.

#include "core/context.h"
#include "core/result.h"
#include "store/transition.h"
#include "workflow/detail/live_run.h"

#include <string>
#include <vector>

namespace aios::workflow {

/// Why it was not read: not_found with the run's page, any other as the store says.
Error no_run(const std::string& run_id, Error error);
/// What somebody asked of a run, under their own name.
store::AuditLeaf run_leaf(const Context& ctx, const LiveRun& run, std::string outcome);
/// What was asked while the run was busy may be done by now, and is told of once.
void ask_to_cancel(const Context& ctx, LiveRun& run, std::string reason);
/// What it is found by, as far as it is not durable (attributes.cc).
void tell_attributes(const LiveRun& run, std::vector<store::StreamWrite>* streams);

}  // namespace aios::workflow

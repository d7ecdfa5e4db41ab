// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/planning: what there is to say of a deployment beside its files: settings, and runs
// that are under way.

#include "bundle/deployments.h"
#include "bundle/plan.h"

#include <memory>

namespace aios::bundle {

/// A bundle that is given, checked with what was set before.
struct Looked {
  DeploymentInfo earlier;  ///< what the store says of the one before; number 0: nothing
  JsonObject settings;     ///< values by name, as the deployment would leave them
  std::shared_ptr<const Bundle> bundle;
  std::vector<std::string> warnings;  ///< of the check
};
/// On errors of the check `errors` lists all of them, and the result is the first.
Task<Result<Looked>> look(DeploymentServices services, Context ctx, Files files,
                          JsonObject overrides, std::vector<Error>* errors);

/// What is set, as the bundle reads it: on the command line a number is a text.
JsonObject values_of(const JsonObject& settings, const Bundle& bundle);

/// What it would change.
/// @param before  what runs now; null: nothing.
Plan plan_of(const Bundle* before, const Looked& looked);

/// Fills in the runs of the workflows that change or go. Reads at most 2,000 of each.
Task<Result<Plan>> with_runs(workflow::Engine& engine, Context ctx, Plan plan);

/// failed_precondition [AIOS-1107]: a tenant runs one bundle.
Error another_bundle(const TenantId& tenant, const std::string& runs, const std::string& wanted);

}  // namespace aios::bundle

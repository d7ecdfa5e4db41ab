// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/dev_step: `aios dev --step`: one task of a workflow with an input that is given.

#include "app/commands.h"

#include <string>

namespace aios::app {

struct StepOptions {
  std::string name;      ///< "WORKFLOW/TASK" or "NAMESPACE/WORKFLOW/TASK"
  std::string input;     ///< JSON, or a file that holds it; empty: {}
  std::string context;   ///< as input; empty: the input
  std::string scenario;  ///< part of a scenario's name; empty: none
};

/// Prints what came of it. @return not_found [AIOS-1426, AIOS-1421], invalid_argument [AIOS-1427],
/// what the bundle's check says; failed_precondition [AIOS-1428] when the step did not succeed.
Result<void> run_one_step(const Session& session, const std::string& directory,
                          const JsonObject& overrides, const StepOptions& options);

}  // namespace aios::app

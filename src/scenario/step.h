// SPDX-License-Identifier: Apache-2.0
#pragma once
// scenario/step: one task of a workflow by itself, with an input that is pinned, on simulated time
// and with scripted answers outside. What the run would remember of earlier steps is not there.
// Threading: as scenario.h.

#include "bundle/bundle.h"
#include "core/json.h"
#include "core/result.h"

#include <string>
#include <vector>

namespace aios::scenario {

struct StepRequest {
  std::string workflow;  ///< NAME or NAMESPACE/NAME; the last in the files' order of that name
  std::string task;      ///< anywhere in the document
  Json input;            ///< what the task gets as `.`
  Json context;          ///< `$context`
  Json models, systems;  ///< as in a scenario; null: none
  std::string region = "eu";
};

/// The document in which the task stands alone: siblings that it leads to only say that they were
/// reached. @return not_found naming the nearest task.
Result<Json> document_of_step(const Json& document, const std::string& task);

/// @return {status, output, context, next, error, waiting_for, requests, questions, decisions,
///         unscripted}: `next` is the sibling it would go on at, `decisions` what policy said:
///         [{point, verdict, reasons}], `unscripted` what was asked and has no answer.
///         not_found without a page: no such workflow or task; else the first error of the bundle's
///         check.
Result<Json> run_step(const StepRequest& request, const bundle::Files& bundle,
                      const JsonObject& overrides);

}  // namespace aios::scenario

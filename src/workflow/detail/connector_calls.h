// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/connector_calls: what the functions `connector` and `http` share: a call of
// connectors as the engine gives it and takes it.

#include "connectors/connectors.h"
#include "workflow/function.h"

namespace aios::workflow {

/// All but connector, operation and arguments.
void fill_in(const CallRequest& request, connectors::OperationCall* call);
/// Connectors::prepare().
Task<govern::Refusable<PreparedCall>> prepare_call(connectors::Connectors* connectors, Context ctx,
                                                   connectors::OperationCall call);
/// What came of Connectors::perform(), all but CallOutcome::connector_result.
CallOutcome outcome_of(connectors::Performed performed);

}  // namespace aios::workflow

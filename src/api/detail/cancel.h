// SPDX-License-Identifier: Apache-2.0
#pragma once
// api/detail/cancel: a run ended because a caller wants it, as a run or as a task.

#include "api/api.h"
#include "workflow/engine.h"

#include <string>

namespace aios::api {

/// In the caller's name; who may is asked before. @return the run as it is then.
Task<Result<workflow::RunView>> cancel_for(const ApiServices& services, Context ctx,
                                           std::string id);

}  // namespace aios::api

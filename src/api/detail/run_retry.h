// SPDX-License-Identifier: Apache-2.0
#pragma once
// api/detail/run_retry: faulted runs that are tried again, one or many.

#include "api/api.h"

namespace aios::api {

Task<Result<net::Response>> retry_run(const ApiServices& services, Context ctx,
                                      net::Request request);
/// Looks at faulted runs, oldest first, and tries those again that fit, or only tells them.
Task<Result<net::Response>> retry_runs(const ApiServices& services, Context ctx,
                                       net::Request request);

}  // namespace aios::api

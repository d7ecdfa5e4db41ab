// SPDX-License-Identifier: Apache-2.0
#pragma once
// api/detail/run_search: runs by their search attributes and by what every run has.

#include "api/detail/operation.h"
#include "workflow/attribute.h"

#include <string>
#include <string_view>
#include <vector>

namespace aios::api {

/// What the installed workflows of the caller's tenant declare. @param workflow  empty: all
std::vector<workflow::AttributeInfo> declared_attributes(const ApiServices& services,
                                                         const Context& ctx,
                                                         std::string_view workflow);

Task<Result<net::Response>> search_runs(const ApiServices& services, Context ctx,
                                        net::Request request);

}  // namespace aios::api

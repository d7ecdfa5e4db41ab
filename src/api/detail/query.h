// SPDX-License-Identifier: Apache-2.0
#pragma once
// api/query: the query parameters of an operation: their part of the OpenAPI document and the check
// of a request against it.

#include "api/detail/operation.h"

#include <span>

namespace aios::api {

/// OpenAPI parameter objects; null when there are none.
Json query_document(std::span<const QueryParameter> parameters);

/// Leaves exactly the row's parameters in request->query, each once: the first value given, or what
/// absence means. invalid_argument [AIOS-1302] on another name or a value that does not fit.
Result<void> take_query(std::span<const QueryParameter> parameters, net::Request* request);

}  // namespace aios::api

// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/openapi_operation: one operation of an OpenAPI document as one of a manifest.

#include "bundle/detail/openapi_schema.h"
#include "core/json.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::bundle {

struct OpenApiOperation {
  std::string name;
  std::string method;       ///< "GET"
  std::string path;         ///< with {ARGUMENT}
  std::string description;  ///< one line
  bool reads = false;
  JsonObject arguments;  ///< JSON Schema
  bool has_body = false;
  Json result_schema;  ///< null: any
};

/// The name that an operation gets: its operationId, else method and path; of A-Z, a-z, 0-9, '_'.
std::string operation_name(std::string_view method, std::string_view path, const Json& operation);

/// @param item  the path's own members: parameters that all its operations have.
/// @return nothing when it cannot be called; a note says why.
std::optional<OpenApiOperation> read_openapi_operation(OpenApiOperation begun,
                                                       const Json& operation, const Json& item,
                                                       OpenApiSchemas* schemas,
                                                       std::vector<std::string>* notes);

}  // namespace aios::bundle

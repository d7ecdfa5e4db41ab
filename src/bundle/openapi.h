// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/openapi: a connector's manifest out of an OpenAPI 3.0 or 3.1 document. What the manifest
// cannot say is told in notes, never left out in silence. Source: OpenAPI Specification 3.0.4,
// 3.1.1. Pure; any thread.

#include "core/json.h"
#include "core/result.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace aios::bundle {

struct OpenApiOptions {
  std::string name;                     ///< of the connector
  std::vector<std::string> operations;  ///< names of those to take; empty: all
};

struct ImportedConnector {
  std::string manifest;                 ///< YAML, with the notes as comments
  std::vector<std::string> operations;  ///< that are in it
  std::vector<std::string> secrets;     ///< for `needs.secrets` of aios.yaml
  std::vector<std::string> notes;       ///< what is not taken over, and what is to be decided
};

/// @param file  named in errors and in the manifest.
/// @return invalid_argument [AIOS-1150] no OpenAPI 3 document, with its place where that is known;
///         not_found [AIOS-1151] an operation that is not there, naming the nearest;
///         failed_precondition [AIOS-1152] nothing of it can be called, with the reasons.
Result<ImportedConnector> connector_from_openapi(std::string_view text, std::string_view file,
                                                 const OpenApiOptions& options);

}  // namespace aios::bundle

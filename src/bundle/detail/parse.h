// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/parse: aios.yaml and models/*.yaml. Each function adds every problem it finds to `errors`,
// with its place.

#include "bundle/bundle.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::bundle {

/// What aios.yaml says the bundle needs.
struct Needs {
  std::vector<std::string> connectors;
  std::vector<std::string> secrets;
};

/// Sets name, version and parameters (defaults, then overrides).
Needs read_manifest(std::string_view text, const JsonObject& overrides, Bundle* bundle,
                    std::vector<Error>* errors);
void check_needs(const Needs& needs, const Bundle& bundle, std::vector<Error>* errors);
/// Names of what is not there (forms, connectors, operations, engines, data sets), and event types
/// that trigger two workflows.
void check_references(const Bundle& bundle, std::vector<Error>* errors);
std::optional<ModelSource> read_model(const std::string& path, std::string_view text,
                                      std::vector<Error>* errors);

}  // namespace aios::bundle

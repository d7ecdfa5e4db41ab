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

/// A name and where it stands.
struct Named {
  std::string name;
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};
/// What aios.yaml says the bundle needs.
struct Needs {
  std::vector<Named> connectors;
  std::vector<Named> secrets;
};

/// Sets name, version and parameters (defaults, then overrides). Nothing: the file is no YAML.
std::optional<Needs> read_manifest(std::string_view text, const JsonObject& overrides,
                                   Bundle* bundle, std::vector<Error>* errors);
/// Connectors that are needed and not there; secrets that are needed and not listed, or the other
/// way round.
void check_needs(const Needs& needs, const Bundle& bundle, const CheckedSourceTexts& sources,
                 Checked* checked);
/// Names of what is not there (forms, connectors, operations, engines, data sets, models, rules of
/// the policies), event types that trigger two workflows, arguments of steps, and labels. `guard`
/// holds the bundle's policies, or is null when they do not compile.
void check_references(const Bundle& bundle, const govern::Guard* guard, Checked* checked);
/// The error page of a workflow that asks a policy where the bundle has none.
inline constexpr int page_no_policy = 1115;
/// Parts without which a bundle does little.
void check_contents(const Bundle& bundle, Checked* checked);
std::optional<ModelSource> read_model(const std::string& path, std::string_view text,
                                      std::vector<Error>* errors);

}  // namespace aios::bundle

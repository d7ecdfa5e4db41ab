// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/bundle: an app bundle as files, checked as a whole. check_bundle reports everything at
// once; what it accepts can be installed. Layout: docs/guide/bundle.md.

#include "connectors/connectors.h"
#include "core/json.h"
#include "core/result.h"
#include "data/article.h"
#include "gateway/hosted.h"
#include "govern/budget.h"
#include "govern/guard.h"
#include "models/models.h"
#include "workflow/engine.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::bundle {

/// Relative path with '/', and the bytes.
using Files = std::map<std::string, std::string>;

/// Reads a directory: regular files below it, at most 5,000 files and 64 MiB; dot files, demo/,
/// tests/ of other programs and everything aios.yaml does not know are left out. not_found when
/// there is no aios.yaml; invalid_argument for what is neither file nor folder, and for a folder
/// that is named like a file.
Result<Files> read_bundle_directory(const std::string& directory);
/// Warnings of what lies at the top of the directory under nearly the name of a bundle's part, and
/// is therefore left out: "polices/".
std::vector<Error> stray_names(const std::string& directory);

struct ModelSource {
  models::ModelSpec spec;
  std::string file;     ///< models/<name>.yaml
  std::string dataset;  ///< path in the bundle
  std::string heldout;  ///< path in the bundle, may be empty
};

/// A file sources/*.yaml; who reads it stands above this module.
struct SourceText {
  std::string path;
  std::string text;
};
struct CheckedSourceTexts {
  std::vector<Error> errors;
  /// A secret that a source names, and where.
  struct Secret {
    std::string name;
    std::string file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
  };
  std::vector<Secret> secrets;
};
using CheckSources = std::function<CheckedSourceTexts(const std::vector<SourceText>& files,
                                                      const JsonObject& parameters)>;

struct Bundle {
  std::string name;
  std::string version;
  std::string digest;  ///< hex SHA-256 over paths, bytes and parameters
  JsonObject parameters;
  std::vector<workflow::DefinitionFile> workflows;
  std::vector<connectors::ManifestFile> connectors;
  std::vector<connectors::ManifestFile> subscriptions;
  std::vector<connectors::Egress> egress;    ///< `needs.egress`: where `call: http` may go
  std::vector<govern::PolicyFile> policies;  ///< tests (*_test.rego) included
  std::vector<ModelSource> models;
  std::vector<gateway::HostedModel> hosted;  ///< models/*.yaml with `provider`
  std::vector<govern::BudgetSpec> budgets;
  std::vector<data::Article> articles;  ///< knowledge/*.md
  std::vector<SourceText> sources;      ///< sources/*.yaml
  std::vector<std::string> secrets;     ///< names of those that aios.yaml says it needs
  std::map<std::string, Json> forms;    ///< by file name, "ticket-review.json"
  Files files;
};

struct Checked {
  std::optional<Bundle> bundle;  ///< set when errors is empty
  std::vector<Error> errors;
  std::vector<Error> warnings;  ///< what may be meant so, but does not work as it stands
};
/// @param overrides  parameter values by name; unknown names and wrong types are errors.
/// @param check_sources  null: what sources say is not looked at.
Checked check_bundle(Files files, const JsonObject& overrides,
                     const workflow::FunctionRegistry& functions,
                     const CheckSources& check_sources = nullptr);

}  // namespace aios::bundle

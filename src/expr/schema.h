// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/schema: JSON Schema, drafts 4 to 2020-12 (2020-12 where the schema names none). Nothing is
// fetched: what a schema refers to is handed over when it is compiled. Threading: a Schema is
// immutable; copies share it and may be used from any thread at once.

#include "core/json.h"
#include "core/result.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aios::expr {

struct SchemaOptions {
  /// What "$ref" resolves against; empty: the schema's own "$id" only.
  std::string base_uri{};
  /// Documents the schema may refer to, by absolute URI.
  std::vector<std::pair<std::string, Json>> documents{};
  /// Whether "format" is checked or only an annotation (the standard's default).
  enum class Formats : std::uint8_t { annotate, check } formats = Formats::annotate;
};

struct SchemaIssue {
  std::string instance_path;    ///< JSON pointer into the document
  std::string schema_path;      ///< JSON pointer into the schema
  std::string evaluation_path;  ///< the way that led there, through "$ref" too
  std::string keyword;
  std::string message;
};

class Schema {
 public:
  /// @return invalid_argument [AIOS-0105] naming the place in the schema.
  static Result<Schema> compile(const Json& schema, const SchemaOptions& options = {});

  /// @return invalid_argument [AIOS-0106] listing the first issues with their paths.
  Result<void> validate(const Json& document) const;
  /// Every issue, at most `issues_max`; empty when valid.
  Result<std::vector<SchemaIssue>> issues(const Json& document, std::size_t issues_max = 100) const;

 private:
  struct Handle;
  explicit Schema(std::shared_ptr<const Handle> handle) : handle_(std::move(handle)) {}
  std::shared_ptr<const Handle> handle_;
};

}  // namespace aios::expr

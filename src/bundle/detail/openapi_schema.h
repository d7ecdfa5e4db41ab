// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/openapi_schema: references within an OpenAPI document, and its schemas as JSON
// Schema 2020-12.

#include "core/json.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::bundle {

/// Adds what nobody has been told yet, up to a bound: a document can give cause for any number.
void add_note(std::vector<std::string>* notes, std::string text);

/// Borrows the document and the notes.
class OpenApiSchemas {
 public:
  OpenApiSchemas(const Json& document, std::vector<std::string>* notes)
      : document_(&document),
        notes_(notes) {}

  /// What an object stands for: itself, or where its "$ref" leads, at most 20 in a row; null with a
  /// note when it leads nowhere or out of the document.
  const Json* resolve(const Json* value, std::string_view where);
  /// The schema with every reference put in its place. A schema within itself, and what would make
  /// it larger than 5,000 values, or all of a document larger than 15,000, takes everything there;
  /// a note says so.
  Json schema(const Json& value, std::string_view where);

 private:
  Json converted(const Json& value, std::size_t depth);
  Json converted_object(const JsonObject& value, std::size_t depth);
  Json referenced(const JsonObject& value, std::string_view target, std::size_t depth);
  void note(std::string text) { add_note(notes_, std::move(text)); }

  const Json* document_;
  std::vector<std::string>* notes_;
  std::string where_;
  std::vector<std::string> open_;  ///< references being put in place now
  std::size_t values_ = 0;
  std::size_t all_values_ = 0;
};

}  // namespace aios::bundle

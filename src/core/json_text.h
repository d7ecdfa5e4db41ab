// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/json_text: JSON written piece by piece, for records of a fixed form: no value is built that
// would only be printed. Pure functions; any thread.

#include "core/json.h"

#include <string>
#include <string_view>

namespace aios {

/// Appends a text in quotes, escaped as all printers of core/json.h do it (RFC 8785).
/// @param text  UTF-8
void append_json_text(std::string_view text, std::string* out);
/// Appends the value's canonical JSON (RFC 8785). @return as to_canonical_text(); what stands in
/// `out` then is not to be used.
Result<void> append_canonical(const Json& value, std::string* out);
Result<void> append_canonical(const JsonObject& value, std::string* out);

/// The order of members in canonical JSON: by the code units of their names in UTF-16.
bool comes_before(std::string_view name, std::string_view other);

/// Writes one object, member after member. Canonical when the caller names the members in
/// that order and gives canonical values.
class ObjectText {
 public:
  explicit ObjectText(std::string* out) : out_(out) { out_->push_back('{'); }
  /// The value is appended to what it returns. @param name  nothing in it needs escaping
  std::string* member(std::string_view name) {
    *out_ += first_ ? "\"" : ",\"";
    first_ = false;
    *out_ += name;
    *out_ += "\":";
    return out_;
  }
  void text(std::string_view name, std::string_view value) {
    append_json_text(value, member(name));
  }
  void end() { out_->push_back('}'); }

 private:
  std::string* out_;
  bool first_ = true;
};

}  // namespace aios

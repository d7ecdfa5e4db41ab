// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/findings: what a check finds in one file of a bundle, each with its place.

#include "bundle/bundle.h"
#include "core/text.h"
#include "expr/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::bundle {

/// Whether a value is known before a run only: it is an expression, or made of some.
bool holds_expression(const Json& value);

/// Borrows the document and where the findings go.
class Findings {
 public:
  Findings(std::string file, const expr::YamlDocument& document, Checked* checked)
      : file_(std::move(file)),
        document_(&document),
        checked_(checked) {}

  const std::string& file() const { return file_; }
  const Json& root() const { return document_->value; }

  /// At the value of a JSON pointer, or the nearest above it that is there.
  void error(const std::string& pointer, Code code, std::string message, int page) {
    checked_->errors.push_back(
        placed(document_->positions.of(pointer), code, std::move(message), page));
  }
  /// At the name of a member.
  void error_at_key(const std::string& pointer, Code code, std::string message, int page) {
    checked_->errors.push_back(
        placed(document_->positions.of_key(pointer), code, std::move(message), page));
  }
  void warn(const std::string& pointer, Code code, std::string message, int page) {
    checked_->warnings.push_back(
        placed(document_->positions.of(pointer), code, std::move(message), page));
  }
  void warn_at_key(const std::string& pointer, Code code, std::string message, int page) {
    checked_->warnings.push_back(
        placed(document_->positions.of_key(pointer), code, std::move(message), page));
  }

  /// Complains unless `name` is empty or among `known`.
  bool expect(std::string_view what, const std::string& name, const std::vector<std::string>& known,
              const std::string& pointer, int page) {
    if (name.empty() || std::find(known.begin(), known.end(), name) != known.end()) {
      return true;
    }
    error(pointer, Code::not_found,
          fmt::format("there is no {} '{}'{}", what, name, hint(name, known)), page);
    return false;
  }

 private:
  Error placed(const expr::Position& place, Code code, std::string message, int page) const {
    return Error(code, std::move(message)).page(page).at(file_, place.line, place.column);
  }

  std::string file_;
  const expr::YamlDocument* document_;
  Checked* checked_;
};

/// The member's text when it is a plain one: neither missing nor an expression.
std::string plain_text(const Json& node, std::string_view member);

}  // namespace aios::bundle

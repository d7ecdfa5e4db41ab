// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/path_template: "/customers/{email}?x={effect_id}" filled with values. Values
// are percent-encoded, so they can neither add a segment nor a parameter.

#include "core/json.h"
#include "core/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace aios::connectors::detail {

class PathTemplate {
 public:
  /// @return invalid_argument: does not begin with '/', unbalanced braces, characters that must
  ///         be percent-encoded.
  static Result<PathTemplate> parse(std::string_view text);
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<std::string>& literals() const { return texts_; }  ///< what stands around them

  struct Reserved {
    std::string_view effect_id;
    std::string_view run_id;
  };
  /// @param arguments  an object: texts, numbers and booleans can be used.
  /// @return invalid_argument [AIOS-0903] for a value that is absent, empty, no scalar, or "." or
  ///         "..": each would lead to another path than the one that was meant.
  Result<std::string> fill(const Json& arguments, const Reserved& reserved) const;

 private:
  std::vector<std::string> texts_;  ///< one more than names_, around them
  std::vector<std::string> names_;
};

}  // namespace aios::connectors::detail

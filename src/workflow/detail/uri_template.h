// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/uri_template: the URI templates of the Open Workflow Specification
// (dsl-reference.md, "URI Template"): simple string expansion of RFC 6570, section 3.2.2, alone.

#include "core/json.h"
#include "core/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace aios::workflow {

class UriTemplate {
 public:
  /// @return invalid_argument: braces that do not fit together, an empty name, an operator or a
  ///         modifier of the higher levels ("{+path}", "{a,b}", "{name:3}").
  static Result<UriTemplate> parse(std::string_view text);
  const std::vector<std::string>& names() const { return names_; }
  /// What stands before the first name.
  const std::string& beginning() const { return texts_.front(); }
  /// Each name replaced by that member of `input`, percent-encoded; by nothing where it is absent
  /// or null. @return invalid_argument for a member that is a list or an object.
  Result<std::string> expand(const Json& input) const;

 private:
  std::vector<std::string> texts_;  ///< one more than names_, around them
  std::vector<std::string> names_;
};

}  // namespace aios::workflow

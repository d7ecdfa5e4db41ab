// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/findings.h"

namespace aios::bundle {

bool holds_expression(const Json& value) {
  if (value.is_string()) {
    return view(value.get_string()).find("${") != std::string_view::npos;
  }
  if (value.is_array()) {
    const auto& items = value.get_array();
    return std::any_of(items.begin(), items.end(), holds_expression);
  }
  if (value.is_object()) {
    const auto& members = value.get_object();
    return std::any_of(members.begin(), members.end(),
                       [](const auto& member) { return holds_expression(member.value()); });
  }
  return false;
}

std::string plain_text(const Json& node, std::string_view member) {
  const std::string_view text = text_or(node, member, "");
  return text.find("${") == std::string_view::npos ? std::string(text) : std::string();
}

}  // namespace aios::bundle

// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/path_template.h"

#include "core/text.h"
#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::connectors::detail {

namespace {

Error bad(std::string_view text, std::string_view why) {
  return Error(Code::invalid_argument, fmt::format("the path '{}' {}", excerpt(text, 80), why))
      .page(900);
}

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// The text of a scalar; empty for anything else.
std::string scalar_text(const Json* value) {
  if (value == nullptr || value->is_null() || value->is_object() || value->is_array()) {
    return {};
  }
  return value->is_string() ? std::string(view(value->get_string())) : to_text(*value);
}

}  // namespace

Result<PathTemplate> PathTemplate::parse(std::string_view text) {
  PathTemplate path;
  if (!text.starts_with('/') || text.starts_with("//")) {
    return bad(text, "does not begin with one '/'");
  }
  std::string fixed;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t open = std::min(rest.find('{'), rest.size());
    const std::string_view literal = rest.substr(0, open);
    const bool visible = std::all_of(literal.begin(), literal.end(), [](char c) {
      return c > 0x20 && c < 0x7f && c != '#' && c != '}';
    });
    if (!visible) {
      return bad(text, "has a stray '}' or characters that must be percent-encoded");
    }
    path.texts_.emplace_back(literal);
    fixed += literal;
    if (open == rest.size()) {
      rest = {};
      continue;
    }
    const std::size_t close = rest.find('}', open);
    const std::string_view name =
        close == std::string_view::npos ? "" : rest.substr(open + 1, close - open - 1);
    if (!is_name(name)) {
      return bad(text, "has a '{' without a name and a '}' behind it");
    }
    path.names_.emplace_back(name);
    fixed += "x";
    rest.remove_prefix(close + 1);
  }
  if (path.texts_.size() == path.names_.size()) {
    path.texts_.emplace_back();
  }
  net::Request probe;
  auto parsed = net::parse_target(fixed, &probe);
  if (!parsed.ok()) {
    return bad(text, "is no request path");
  }
  return path;
}

Result<std::string> PathTemplate::fill(const Json& arguments, const Reserved& reserved) const {
  std::string out = texts_[0];
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const std::string value = names_[i] == "effect_id" ? std::string(reserved.effect_id)
                              : names_[i] == "run_id"  ? std::string(reserved.run_id)
                                                       : scalar_text(find(arguments, names_[i]));
    if (value.empty() || value == "." || value == "..") {
      return Error(Code::invalid_argument,
                   fmt::format("argument '{}' is put into the path and must be a text that is not "
                               "empty, '.' or '..'",
                               names_[i]))
          .page(903);
    }
    out += net::percent_encode(value);
    out += texts_[i + 1];
  }
  return out;
}

}  // namespace aios::connectors::detail

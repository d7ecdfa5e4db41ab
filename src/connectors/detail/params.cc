// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/params.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::connectors::detail {

std::optional<std::string> substitute(Reader& reader, const Node& node, std::string_view text,
                                      const Json& params) {
  std::string out;
  while (!text.empty()) {
    const std::size_t open = std::min(text.find("${"), text.size());
    out += text.substr(0, open);
    if (open == text.size()) {
      return out;
    }
    const std::size_t close = text.find('}', open);
    const std::string_view inner =
        close == std::string_view::npos ? "" : trim(text.substr(open + 2, close - open - 2));
    if (!inner.starts_with("params.")) {
      reader.mistake(node, "wanted ${params.<name>} between '${' and '}'");
      return std::nullopt;
    }
    const std::string_view name = inner.substr(7);
    const Json* value = find(params, name);
    if (value == nullptr || value->is_object() || value->is_array() || value->is_null()) {
      reader.mistake(node, fmt::format("the bundle has no parameter '{}'", excerpt(name, 40)));
      return std::nullopt;
    }
    out += value->is_string() ? std::string(view(value->get_string())) : to_text(*value);
    text.remove_prefix(close + 1);
  }
  return out;
}

Error as_written(const std::string& written, const std::string& value, const Error& error) {
  if (written == value) {
    return error;
  }
  return Error(error.code(),
               fmt::format("{}; it is written '{}'", error.message(), excerpt(written, 120)),
               error.retry())
      .page(error.page());
}

}  // namespace aios::connectors::detail

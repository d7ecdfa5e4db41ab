// SPDX-License-Identifier: Apache-2.0
#include "app/csv.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

/// Also behind the blanks that spreadsheets skip.
bool looks_like_formula(std::string_view text) {
  constexpr std::string_view starts = "=+-@\t\r\n";
  const auto first = text.find_first_not_of(' ');
  return first != std::string_view::npos && starts.find(text[first]) != std::string_view::npos;
}

std::string in_quotes(std::string_view text) {
  if (text.find_first_of(",\"\r\n'") == std::string_view::npos && !text.starts_with(' ') &&
      !text.ends_with(' ')) {
    return std::string(text);
  }
  std::string out = "\"";
  for (const char c : text) {
    out += c;
    if (c == '"') {
      out += '"';
    }
  }
  return out + "\"";
}

}  // namespace

std::string csv_cell(const Json& value) {
  if (value.is_null()) {
    return "";
  }
  if (!value.is_string()) {
    return in_quotes(to_text(value));
  }
  const auto text = view(value.get_string());
  return looks_like_formula(text) ? in_quotes(fmt::format("'{}", text)) : in_quotes(text);
}

std::string csv_row(const std::vector<Json>& cells) {
  std::string row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    row += (i == 0 ? "" : ",") + csv_cell(cells[i]);
  }
  return row + "\r\n";
}

void flatten(std::string_view prefix, const Json& value, std::size_t depth_max, JsonObject* into) {
  if (!value.is_object() || depth_max == 0) {
    (*into)[prefix] = value;
    return;
  }
  for (const auto& member : value.get_object()) {
    flatten(fmt::format("{}.{}", prefix, std::string_view(member.key())), member.value(),
            depth_max - 1, into);
  }
}

}  // namespace aios::app

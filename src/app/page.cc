// SPDX-License-Identifier: Apache-2.0
#include "app/page.h"

#include "app/help.h"
#include "app/terminal.h"

#include "core/text.h"
#include "core/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::app {
namespace {

constexpr std::size_t label_width = 11;
constexpr std::size_t columns_default = 80;
constexpr std::size_t columns_min = 40;
constexpr std::size_t text_characters_max = 2'000;

std::size_t columns() {
  const auto found = terminal_columns();
  return found == 0 ? columns_default : std::max(found, columns_min);
}

}  // namespace

void page_line(std::string_view label, std::string_view text) {
  if (text.empty()) {
    return;
  }
  const auto cut = excerpt(text, text_characters_max);
  fmt::print("{:<{}}{}\n", label, label_width, wrapped(cut, columns(), label_width));
}

void page_members(std::string_view label, const Json& value) {
  if (!value.is_object()) {
    page_line(label, value.is_null() ? std::string() : value_text(value));
    return;
  }
  std::string_view first = label;
  for (const auto& member : value.get_object()) {
    page_line(std::exchange(first, ""),
              fmt::format("{}: {}", std::string_view(member.key()), value_text(member.value())));
  }
}

void page_command(std::string_view label, std::string_view command) {
  fmt::print("{:<{}}{}\n", label, label_width, command);
}

std::string value_text(const Json& value) {
  return value.is_string() ? std::string(view(value.get_string())) : to_text(value);
}

std::string took_text(std::string_view from, std::string_view to) {
  const auto begin = parse_rfc3339(from);
  const auto end = parse_rfc3339(to);
  return begin.ok() && end.ok() && *end >= *begin ? to_short_duration(*end - *begin) : "";
}

std::string person_text(const Json& row, std::string_view member) {
  const auto id = text_or(row, member, "");
  const auto name = text_or(row, fmt::format("{}_name", member), "");
  return name.empty() ? std::string(id) : fmt::format("{} ({})", name, id);
}

std::string person_name(const Json& row, std::string_view member) {
  const auto name = text_or(row, fmt::format("{}_name", member), "");
  return std::string(name.empty() ? text_or(row, member, "") : name);
}

}  // namespace aios::app

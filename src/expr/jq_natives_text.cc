// SPDX-License-Identifier: Apache-2.0
// Strings.
#include "expr/detail/jq_machine.h"
#include "expr/detail/jq_natives.h"
#include "expr/detail/jq_paths.h"
#include "expr/detail/jq_print.h"
#include "expr/detail/jq_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace aios::expr::detail {
namespace {

bool both_texts(Machine& machine, const Value& a, const Value& b, std::string_view complaint) {
  machine.budget().spend(1 + a.text().size() / 64);
  return (a.is_string() && b.is_string()) || machine.raise(std::string(complaint));
}

bool starts_with(Machine& machine, Value* input, Value* arguments) {
  if (!both_texts(machine, *input, arguments[0], "startswith() requires string inputs")) {
    return false;
  }
  *input = Value::boolean(input->text().starts_with(arguments[0].text()));
  return true;
}

bool ends_with(Machine& machine, Value* input, Value* arguments) {
  if (!both_texts(machine, *input, arguments[0], "endswith() requires string inputs")) {
    return false;
  }
  *input = Value::boolean(input->text().ends_with(arguments[0].text()));
  return true;
}

bool trim_prefix(Machine& machine, Value* input, Value* arguments) {
  if (!both_texts(machine, *input, arguments[0], "startswith() requires string inputs")) {
    return false;
  }
  auto text = input->text();
  if (text.starts_with(arguments[0].text())) {
    *input = machine.text(std::string(text.substr(arguments[0].text().size())));
  }
  return true;
}

bool trim_suffix(Machine& machine, Value* input, Value* arguments) {
  if (!both_texts(machine, *input, arguments[0], "endswith() requires string inputs")) {
    return false;
  }
  auto text = input->text();
  if (text.ends_with(arguments[0].text())) {
    *input = machine.text(std::string(text.substr(0, text.size() - arguments[0].text().size())));
  }
  return true;
}

bool is_blank(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool trimmed(Machine& machine, Value* input, bool front, bool end) {
  if (!input->is_string()) {
    return machine.raise("trim input must be a string");
  }
  auto text = input->text();
  machine.budget().spend(text.size() / 64);
  while (front && !text.empty() && is_blank(first_code_point(text).value)) {
    text.remove_prefix(first_code_point(text).bytes);
  }
  while (end && !text.empty()) {
    auto start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) {
      --start;
    }
    if (!is_blank(first_code_point(text.substr(start)).value)) {
      break;
    }
    text = text.substr(0, start);
  }
  if (text.size() != input->text().size()) {
    *input = machine.text(std::string(text));
  }
  return true;
}

bool trim(Machine& machine, Value* input, Value*) { return trimmed(machine, input, true, true); }
bool trim_left(Machine& machine, Value* input, Value*) {
  return trimmed(machine, input, true, false);
}
bool trim_right(Machine& machine, Value* input, Value*) {
  return trimmed(machine, input, false, true);
}

bool explode(Machine& machine, Value* input, Value*) {
  if (!input->is_string()) {
    return machine.raise(fmt::format("{} cannot be exploded", described(machine.budget(), *input)));
  }
  auto points = Value::array(machine.budget());
  for (auto text = input->text(); !text.empty() && machine.budget().spend(1);) {
    auto point = first_code_point(text);
    points.push(machine.budget(), Value::number(point.value));
    text.remove_prefix(point.bytes);
  }
  *input = std::move(points);
  return true;
}

bool implode(Machine& machine, Value* input, Value*) {
  if (!input->is_array()) {
    return machine.raise("implode input must be an array");
  }
  std::string text;
  for (std::size_t i = 0; i < input->size() && machine.budget().spend(1); ++i) {
    auto point = input->at(i);
    auto number = point.as_number();
    if (!point.is_number() || std::isnan(number)) {
      return machine.raise(
          fmt::format("{} can't be imploded, unicode codepoint needs to be numeric",
                      described(machine.budget(), point)));
    }
    bool valid = number >= 0 && number < 0x110000 && !(number >= 0xD800 && number < 0xE000);
    append_utf8(text, valid ? static_cast<char32_t>(number) : 0xFFFD);
  }
  *input = machine.text(std::move(text));
  return true;
}

bool split(Machine& machine, Value* input, Value* arguments) {
  if (!both_texts(machine, *input, arguments[0], "split input and separator must be strings")) {
    return false;
  }
  auto parts = Value::array(machine.budget());
  split_text(machine, input->text(), arguments[0].text(), &parts);
  *input = std::move(parts);
  return true;
}

bool change_case(Machine& machine, Value* input, char first, char last, int by,
                 std::string_view name) {
  if (!input->is_string()) {
    return machine.raise(fmt::format("{} input must be a string", name));
  }
  machine.budget().spend(input->text().size() / 64);
  std::string text(input->text());
  for (auto& c : text) {
    c = c >= first && c <= last ? static_cast<char>(c + by) : c;
  }
  *input = machine.text(std::move(text));
  return true;
}

bool downcase(Machine& machine, Value* input, Value*) {
  return change_case(machine, input, 'A', 'Z', 'a' - 'A', "ascii_downcase");
}
bool upcase(Machine& machine, Value* input, Value*) {
  return change_case(machine, input, 'a', 'z', 'A' - 'a', "ascii_upcase");
}

/// null, booleans and numbers count as text; so does null for "".
bool join(Machine& machine, Value* input, Value* arguments) {
  auto& budget = machine.budget();
  if (!input->is_array() && !input->is_object()) {
    return machine.raise(fmt::format("Cannot iterate over {}", described(budget, *input)));
  }
  auto joined = machine.text("");
  for (std::size_t i = 0; i < input->size() && budget.spend(1); ++i) {
    auto part = input->is_array() ? input->at(i) : input->member_at(i);
    if (i > 0 && !arithmetic(machine, Arithmetic::add, std::move(joined), arguments[0], &joined)) {
      return false;
    }
    if (part.is_null()) {
      part = Value::borrow_text("");
    } else if (part.is_number() || type_name(part) == "boolean") {
      part = machine.text(json_text(budget, part));
    }
    if (!arithmetic(machine, Arithmetic::add, std::move(joined), std::move(part), &joined)) {
      return false;
    }
  }
  *input = std::move(joined);
  return true;
}

/// Offsets in code points, overlapping ones too.
bool text_indices(Machine& machine, Value* input, Value* arguments) {
  auto& budget = machine.budget();
  if (!input->is_string()) {
    return machine.raise(
        fmt::format("{} cannot be searched, as it is not a string", described(budget, *input)));
  }
  if (!arguments[0].is_string()) {
    return machine.raise(fmt::format("{} is not a string", described(budget, arguments[0])));
  }
  auto text = input->text();
  auto wanted = arguments[0].text();
  auto found = Value::array(budget);
  std::size_t counted = 0;
  std::size_t points = 0;
  auto at = wanted.empty() ? std::string_view::npos : find_text(text, wanted);
  while (at != std::string_view::npos &&
         budget.spend(1 + (at - counted) / 16 + wanted.size() / 16)) {
    points += count_code_points(text.substr(counted, at - counted));
    counted = at;
    found.push(budget, Value::number(static_cast<double>(points)));
    at = find_text(text, wanted, at + 1);
  }
  *input = std::move(found);
  return true;
}

constexpr std::array table = {
    Native{"startswith", 1, starts_with},
    Native{"endswith", 1, ends_with},
    Native{"ltrimstr", 1, trim_prefix},
    Native{"rtrimstr", 1, trim_suffix},
    Native{"trim", 0, trim},
    Native{"ltrim", 0, trim_left},
    Native{"rtrim", 0, trim_right},
    Native{"explode", 0, explode},
    Native{"implode", 0, implode},
    Native{"split", 1, split},
    Native{"ascii_downcase", 0, downcase},
    Native{"ascii_upcase", 0, upcase},
    Native{"join", 1, join},
    Native{"_strindices", 1, text_indices},
};

}  // namespace

std::span<const Native> text_natives() { return table; }

void split_text(Machine& machine, std::string_view text, std::string_view separator, Value* out) {
  auto& budget = machine.budget();
  auto put = [&](std::string_view part) { out->push(budget, machine.text(std::string(part))); };
  if (separator.empty()) {
    while (!text.empty() && budget.spend(1)) {
      auto bytes = first_code_point(text).bytes;
      put(text.substr(0, bytes));
      text.remove_prefix(bytes);
    }
    return;
  }
  if (text.empty()) {
    return;
  }
  for (;;) {
    auto at = find_text(text, separator);
    put(text.substr(0, at));
    if (at == std::string_view::npos || !budget.spend(1 + (at + separator.size()) / 64)) {
      return;
    }
    text.remove_prefix(at + separator.size());
  }
}

}  // namespace aios::expr::detail

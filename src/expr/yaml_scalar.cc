// SPDX-License-Identifier: Apache-2.0
#include "expr/detail/yaml_scalar.h"

#include "core/text.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

namespace aios::expr::detail {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <class Integer>
std::optional<Json> whole(std::string_view digits, int base) {
  Integer number = 0;
  auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (code != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return Json(number);
}

std::optional<Json> finite(std::string_view text) {
  double number = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return Json(number);
}

/// How many digits stand at the front.
std::size_t digits_at(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) {
    ++count;
  }
  return count;
}

enum class Shape : std::uint8_t { none, whole, fraction };

/// The two decimal patterns of the core schema, without the sign.
Shape shape_of(std::string_view text) {
  auto before = digits_at(text);
  if (before == text.size() && before > 0) {
    return Shape::whole;
  }
  auto rest = text.substr(before);
  std::size_t after = 0;
  if (!rest.empty() && rest.front() == '.') {
    after = digits_at(rest.substr(1));
    rest = rest.substr(1 + after);
  }
  if (before == 0 && after == 0) {
    return Shape::none;
  }
  if (rest.empty()) {
    return Shape::fraction;
  }
  if (rest.front() != 'e' && rest.front() != 'E') {
    return Shape::none;
  }
  rest = rest.substr(1);
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    rest = rest.substr(1);
  }
  return !rest.empty() && digits_at(rest) == rest.size() ? Shape::fraction : Shape::none;
}

}  // namespace

bool is_yaml_null(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

std::optional<bool> yaml_bool(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") {
    return true;
  }
  if (text == "false" || text == "False" || text == "FALSE") {
    return false;
  }
  return std::nullopt;
}

bool is_yaml_non_finite(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    text = text.substr(1);
  }
  return text == ".inf" || text == ".Inf" || text == ".INF" || text == ".nan" || text == ".NaN" ||
         text == ".NAN";
}

bool is_yaml_beyond_double(std::string_view text) {
  const bool is_signed = text.starts_with("-") || text.starts_with("+");
  if (shape_of(is_signed ? text.substr(1) : text) == Shape::none) {
    return false;
  }
  return !yaml_number(text).has_value();
}

std::optional<Json> yaml_number(std::string_view text) {
  if (text.starts_with("0o")) {
    return whole<std::uint64_t>(text.substr(2), 8);
  }
  if (text.starts_with("0x")) {
    return whole<std::uint64_t>(text.substr(2), 16);
  }
  bool minus = text.starts_with("-");
  auto bare = minus || text.starts_with("+") ? text.substr(1) : text;
  auto shape = shape_of(bare);
  if (shape == Shape::none) {
    return std::nullopt;
  }
  auto signed_text = minus ? text : bare;
  if (shape == Shape::whole) {
    if (auto number = whole<std::int64_t>(signed_text, 10)) {
      return number;
    }
    if (auto number = whole<std::uint64_t>(signed_text, 10)) {
      return number;
    }
  }
  std::string padded(signed_text);  // from_chars wants a digit on both sides of the point
  auto point = padded.find('.');
  if (point != std::string::npos) {
    if (point + 1 == padded.size() || !is_digit(padded[point + 1])) {
      padded.insert(point + 1, "0");
    }
    if (point == 0 || !is_digit(padded[point - 1])) {
      padded.insert(point, "0");
    }
  }
  return finite(padded);
}

std::string yaml_text(const std::string& scalar) {
  if (is_utf8(scalar)) {
    return scalar;
  }
  std::string out;
  std::size_t following = 0;  // bytes that belong to the character before them
  for (const char c : scalar) {
    const auto byte = static_cast<unsigned char>(c);
    if (following > 0) {
      --following;
    } else if (byte == 0x85 || byte == 0xa0) {
      out.push_back('\xc2');  // U+0085 is C2 85, U+00A0 is C2 A0
    } else {
      following = byte < 0xc0 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    }
    out.push_back(c);
  }
  return out;
}

}  // namespace aios::expr::detail

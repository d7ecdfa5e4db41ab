// SPDX-License-Identifier: Apache-2.0
#include "workflow/attribute.h"

#include "core/text.h"
#include "core/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

namespace aios::workflow {
namespace {

constexpr double exact_below = 9'007'199'254'740'992.0;  // 2^53
constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

constexpr std::array type_names = {
    std::pair(AttributeType::text, std::string_view("text")),
    std::pair(AttributeType::number, std::string_view("number")),
    std::pair(AttributeType::boolean, std::string_view("boolean")),
    std::pair(AttributeType::time, std::string_view("time")),
};

/// As much from the front as is kept, cut between two characters.
std::string front_of(std::string_view text) {
  std::size_t end = std::min(text.size(), attribute_text_bytes_max);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return std::string(text.substr(0, end));
}

std::optional<double> number_of(const Json& value) {
  if (value.is_int64()) {
    return static_cast<double>(value.get_int64());
  }
  if (value.is_uint64()) {
    return static_cast<double>(value.get_uint64());
  }
  return value.is_double() ? std::optional(value.get_double()) : std::nullopt;
}

/// A whole number as one, so that 80 is shown as it was given.
std::optional<Json> number_value(const Json& value) {
  const auto number = number_of(value);
  if (!number || !std::isfinite(*number)) {
    return std::nullopt;
  }
  const bool whole = std::abs(*number) < exact_below && std::trunc(*number) == *number;
  return whole ? Json(static_cast<std::int64_t>(*number)) : Json(*number);
}

/// Of doubles, negative ones too, so that the numbers sort as they do.
std::uint64_t sortable(double number) {
  const auto bits = std::bit_cast<std::uint64_t>(number);
  return (bits & sign_bit) != 0 ? ~bits : bits | sign_bit;
}

/// A text without the bytes that part the members of an index entry.
std::string plain(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), [](char c) { return c == '\0' || c == '\x1f'; }, ' ');
  return out;
}

}  // namespace

std::string_view name_of(AttributeType type) {
  return type_names[static_cast<std::size_t>(type)].second;
}

std::optional<AttributeType> attribute_type_of(std::string_view word) {
  const auto found = std::find_if(type_names.begin(), type_names.end(),
                                  [word](const auto& one) { return one.second == word; });
  return found == type_names.end() ? std::nullopt : std::optional(found->first);
}

bool is_attribute_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto part = [letter](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= attribute_name_bytes_max && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), part);
}

std::optional<Json> attribute_value(AttributeType type, const Json& value) {
  switch (type) {
    case AttributeType::text:
      if (value.is_string() && !value.get_string().empty()) {
        return Json(front_of(plain(view(value.get_string()))));
      }
      return std::nullopt;
    case AttributeType::number: return number_value(value);
    case AttributeType::boolean: return value.is_bool() ? std::optional(value) : std::nullopt;
    case AttributeType::time: break;
  }
  if (!value.is_string()) {
    return std::nullopt;
  }
  const auto time = parse_rfc3339(view(value.get_string()));
  return time.ok() ? std::optional<Json>(to_rfc3339(*time)) : std::nullopt;
}

std::string attribute_key(AttributeType type, const Json& value) {
  switch (type) {
    case AttributeType::text: return "s" + std::string(view(value.get_string()));
    case AttributeType::number: return fmt::format("n{:016x}", sortable(*number_of(value)));
    case AttributeType::boolean: return value.get_bool() ? "b1" : "b0";
    case AttributeType::time: break;
  }
  const auto time = parse_rfc3339(view(value.get_string()));
  AIOS_ASSERT(time.ok());
  return fmt::format("t{:016x}", static_cast<std::uint64_t>(time->ns) ^ sign_bit);
}

bool Condition::fits(const JsonObject& attributes) const {
  const Json* found = attributes.if_contains(name);
  if (found == nullptr) {
    return false;
  }
  const auto kept = attribute_value(type, *found);  // an older version may have had another type
  if (!kept) {
    return false;
  }
  const std::string has = attribute_key(type, *kept);
  const std::string wanted = attribute_key(type, value);
  switch (comparison) {
    case Comparison::equal: return has == wanted;
    case Comparison::differs: return has != wanted;
    case Comparison::less: return has < wanted;
    case Comparison::at_most: return has <= wanted;
    case Comparison::greater: return has > wanted;
    case Comparison::at_least: return has >= wanted;
  }
  return false;
}

}  // namespace aios::workflow

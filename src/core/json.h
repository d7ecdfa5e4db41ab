// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/json: the one JSON value of aios (Boost.JSON), its strict parser and its two printers.

#include "core/result.h"

#include <boost/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace aios {

using Json = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;
using JsonString = boost::json::string;

struct JsonLimits {
  std::size_t depth_max = 256;
  std::size_t bytes_max = std::size_t{64} << 20;
};

/// Strict RFC 8259: UTF-8 only, no comments, no trailing text, no duplicate member names, no lone
/// surrogates.
/// @return invalid_argument with line and column.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});
/// Compact text, members in their order; doubles in the shortest form that reads back equal.
std::string to_text(const Json& value);
/// Two-space indented text for people.
std::string to_pretty_text(const Json& value);
/// RFC 8785 (JCS). Fails on numbers that are not finite doubles and on integers beyond 2^53.
Result<std::string> to_canonical_text(const Json& value);

/// Member lookup that never throws: nullptr when value is not an object or lacks the member.
const Json* find(const Json& value, std::string_view member);
/// Of an object itself: made a value first it would be a copy, and what is found would die with it.
const Json* find(const JsonObject& object, std::string_view member);
/// The member as text / number / bool, or the fallback when absent or of another type.
std::string_view text_or(const Json& value, std::string_view member, std::string_view fallback);
std::string_view text_or(const JsonObject& object, std::string_view member,
                         std::string_view fallback);
std::int64_t int_or(const Json& value, std::string_view member, std::int64_t fallback);
double number_or(const Json& value, std::string_view member, double fallback);
bool bool_or(const Json& value, std::string_view member, bool fallback);
inline std::string_view view(const JsonString& text) { return {text.data(), text.size()}; }
/// "object", "array", "string", "number", "boolean", "null".
std::string_view type_name(const Json& value);
/// The texts of a list, without what is no text; none when `list` is null or no list.
std::vector<std::string> texts_of(const Json* list);
/// RFC 6901 lookup; nullptr when the path leads nowhere.
const Json* at_pointer(const Json& value, std::string_view pointer);

}  // namespace aios

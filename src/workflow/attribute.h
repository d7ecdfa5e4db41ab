// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/attribute: search attributes: named values that a workflow declares, by which its runs
// are found, and conditions on them. They are kept in clear: whoever may read runs sees them. Pure
// functions; any thread.

#include "core/json.h"
#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::workflow {

enum class AttributeType : std::uint8_t { text, number, boolean, time };
std::string_view name_of(AttributeType type);
std::optional<AttributeType> attribute_type_of(std::string_view word);

/// One that a definition declares.
struct AttributeInfo {
  std::string name;
  AttributeType type = AttributeType::text;
};

inline constexpr std::size_t attributes_max = 8;              ///< of a workflow
inline constexpr std::size_t attribute_name_bytes_max = 40;   ///< letters, digits, '_', '-'
inline constexpr std::size_t attribute_text_bytes_max = 100;  ///< a longer text is kept so far
inline constexpr std::size_t conditions_max = 8;              ///< of a search
bool is_attribute_name(std::string_view text);

/// A value as it is kept: a text cut to its bound, a finite double, a boolean, or a time in UTC as
/// RFC 3339 text. Nothing for null, an empty text, and what is of another type.
std::optional<Json> attribute_value(AttributeType type, const Json& value);

/// Sorts as the values do; the first character names the type. @param value  of attribute_value()
std::string attribute_key(AttributeType type, const Json& value);

enum class Comparison : std::uint8_t { equal, differs, less, at_most, greater, at_least };

/// What is asked of one attribute.
struct Condition {
  std::string name;
  Comparison comparison = Comparison::equal;
  AttributeType type = AttributeType::text;
  Json value;  ///< of attribute_value()

  /// @param attributes  of a run: name -> value. One that it does not have fits no condition.
  bool fits(const JsonObject& attributes) const;
};

/// "intent=refund and amount>50": names, = != < <= > >=, and a word or a text in single or double
/// quotes, joined by `and`. Texts and booleans are compared by = and != only.
/// @param declared  what the workflows have that are meant. A name with two types there is refused.
/// @return invalid_argument [AIOS-1070]: not of that form; [AIOS-1071]: no such attribute;
///         [AIOS-1072]: two types; [AIOS-1073]: the value or the comparison does not fit the type;
///         [AIOS-1074]: too many.
Result<std::vector<Condition>> read_conditions(std::string_view where,
                                               const std::vector<AttributeInfo>& declared);

}  // namespace aios::workflow

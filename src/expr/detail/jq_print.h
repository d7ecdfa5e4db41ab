// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_print: values as text (tojson, messages) and as Json (outputs).

#include "core/json.h"
#include "expr/detail/jq_value.h"

#include <cstdint>
#include <string>

namespace aios::expr::detail {

/// 17 significant digits at most, as few as read back equal: "1", "1.5", "1e-05",
/// "1.7976931348623157e+308".
std::string number_text(const Value& number);
/// What `tojson` gives; nan is null, infinities the largest doubles; below 10,000 levels "<skipped:
/// too deep>".
std::string json_text(Budget& budget, const Value& value);
/// At most 29 bytes of it, for messages: "[1,2,3,4,..." and "\"long te...\"".
std::string short_text(Budget& budget, const Value& value);
/// "string (\"abc\")"
std::string described(Budget& budget, const Value& value);

/// Copies out what is to outlive the evaluation. On a limit the budget says so and the result is
/// partial.
Json to_json(Budget& budget, const Value& value, std::uint32_t depth_max);
/// Replaces what is not UTF-8 by U+FFFD.
std::string repaired_utf8(std::string_view text);
void append_utf8(std::string& text, char32_t code_point);

}  // namespace aios::expr::detail

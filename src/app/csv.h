// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/csv: rows for spreadsheets: RFC 4180, and no cell that a spreadsheet would run as a formula.

#include "core/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace aios::app {

/// The cell, quoted where it has to be. A text that begins with = + - @, a tab or a line end gets
/// a ' before it: spreadsheets take such a cell for a formula, and its words may be a stranger's.
/// Numbers stay as they are, negative ones too.
std::string csv_cell(const Json& value);
/// The cells with commas and "\r\n".
std::string csv_row(const std::vector<Json>& cells);

/// The members of nested objects by their path: {"a": {"b": 1}} is a.b: 1. Lists stay whole, as
/// JSON. Of an object at most `depth_max` levels are taken apart.
void flatten(std::string_view prefix, const Json& value, std::size_t depth_max, JsonObject* into);

}  // namespace aios::app

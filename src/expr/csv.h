// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/csv: RFC 4180 with a header line, UTF-8, comma separated; LF or CRLF; quoted fields may hold
// line breaks. A byte order mark at the front is skipped. Refused, each with its place: rows with
// another number of fields than the header, text after a closing quote, a quote inside an unquoted
// field, a lone CR, a name twice in the header.

#include "core/result.h"
#include "expr/position.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::expr {

struct CsvLimits {
  std::size_t bytes_max = std::size_t{256} << 20;
  std::size_t rows_max = 2'000'000;
  std::size_t columns_max = 1'000;
  std::size_t field_bytes_max = std::size_t{1} << 20;
};

struct CsvRow {
  std::vector<std::string> fields;  ///< as many as the table has columns
  Position place;                   ///< of the row's first character
};

struct CsvTable {
  std::vector<std::string> columns;
  std::vector<CsvRow> rows;
  std::optional<std::size_t> column(std::string_view name) const;
};

/// @param file  named in errors.
/// @return invalid_argument [AIOS-0103] with file, line and column; resource_exhausted [AIOS-0104]
/// at a limit.
Result<CsvTable> parse_csv(std::string_view text, std::string_view file,
                           const CsvLimits& limits = {});

}  // namespace aios::expr

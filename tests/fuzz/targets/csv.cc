// SPDX-License-Identifier: Apache-2.0
// A CSV text: no more rows than lines, each as wide as the header, and written again it is the
// same table.
#include "expr/csv.h"

#include "tests/fuzz/fuzz.h"

#include <algorithm>

namespace aios::fuzz {
namespace {

std::string line_of(const std::vector<std::string>& fields) {
  std::string out;
  for (const auto& field : fields) {
    out += out.empty() ? "\"" : ",\"";
    for (const char c : field) {
      out += c == '"' ? "\"\"" : std::string(1, c);
    }
    out += '"';
  }
  return out + "\r\n";
}

}  // namespace

void csv(std::string_view input) {
  const expr::CsvLimits limits{
      .bytes_max = 4096, .rows_max = 100, .columns_max = 20, .field_bytes_max = 1000};
  const auto table = expr::parse_csv(input, "f.csv", limits);
  if (!table.ok()) {
    AIOS_ASSERT(table.error().page() == 103 || table.error().page() == 104);
    return;
  }
  const auto lines = static_cast<std::size_t>(std::count(input.begin(), input.end(), '\n'));
  AIOS_ASSERT(table->rows.size() <= std::min(lines, limits.rows_max));
  std::string text = line_of(table->columns);
  for (const auto& row : table->rows) {
    AIOS_ASSERT(row.fields.size() == table->columns.size());
    AIOS_ASSERT(row.place.line > 0 && row.place.line <= lines + 1);
    text += line_of(row.fields);
  }
  const auto again = expr::parse_csv(text, "f.csv");
  AIOS_ASSERT(again.ok() && again->columns == table->columns);
  AIOS_ASSERT(again->rows.size() == table->rows.size());
  for (std::size_t i = 0; i < table->rows.size(); ++i) {
    AIOS_ASSERT(again->rows[i].fields == table->rows[i].fields);
  }
}

}  // namespace aios::fuzz

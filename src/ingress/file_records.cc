// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"
#include "expr/csv.h"
#include "ingress/detail/file_watch.h"

#include <fmt/format.h>

namespace aios::ingress {
namespace {

constexpr int page_file = 1211;

Error wrong(std::string message) {
  return Error(Code::invalid_argument, std::move(message)).page(page_file);
}

Result<std::vector<Json>> csv_records(const std::string& text, const std::string& name) {
  expr::CsvLimits limits;
  limits.rows_max = records_max;
  auto table = expr::parse_csv(text, name, limits);
  if (!table.ok()) {
    return wrong(table.error().text());
  }
  std::vector<Json> out;
  for (const auto& row : table->rows) {
    JsonObject record;
    for (std::size_t i = 0; i < table->columns.size(); ++i) {
      record[table->columns[i]] = row.fields[i];
    }
    out.emplace_back(std::move(record));
  }
  return out;
}

Result<std::vector<Json>> line_records(const std::string& text) {
  std::vector<Json> out;
  std::size_t number = 0;
  for (const auto line : split(text, '\n')) {
    ++number;
    if (trim(line).empty()) {
      continue;
    }
    if (out.size() >= records_max) {
      return wrong(fmt::format("the file has more than {} records", records_max));
    }
    auto value = parse_json(line);
    if (!value.ok()) {
      return wrong(fmt::format("line {}: {}", number, value.error().message()));
    }
    out.push_back(std::move(*value));
  }
  return out;
}

}  // namespace

Result<std::vector<Json>> records_of(FileFormat format, const std::string& text,
                                     const std::string& name) {
  if (!is_utf8(text)) {
    return wrong("the file is not UTF-8");
  }
  switch (format) {
    case FileFormat::csv: return csv_records(text, name);
    case FileFormat::jsonl: return line_records(text);
    case FileFormat::text: return std::vector<Json>{Json(text)};
    case FileFormat::json: break;
  }
  auto value = parse_json(text);
  if (!value.ok()) {
    return wrong(fmt::format("line {}: {}", value.error().line(), value.error().message()));
  }
  std::vector<Json> out;
  out.push_back(std::move(*value));
  return out;
}

}  // namespace aios::ingress

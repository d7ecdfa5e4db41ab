// SPDX-License-Identifier: Apache-2.0
#include "expr/csv.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace aios::expr {
namespace {

class Reader {
 public:
  Reader(std::string_view text, std::string_view file, const CsvLimits& limits)
      : text_(text),
        file_(file),
        limits_(limits) {}

  bool at_end() const { return at_ == text_.size(); }
  Position place() const { return place_; }

  /// One record with its line end.
  Result<std::vector<std::string>> record() {
    std::vector<std::string> fields;
    for (;;) {
      if (fields.size() == limits_.columns_max) {
        return full(fmt::format("more than {} columns", limits_.columns_max));
      }
      auto field = peek() == '"' ? quoted() : plain();
      if (!field.ok()) {
        return std::move(field).error();
      }
      fields.push_back(std::move(field).value());
      if (peek() == ',') {
        step();
        continue;
      }
      if (peek() == '\r') {
        step();
        if (at_end() || peek() != '\n') {
          return wrong("found a carriage return alone, wanted LF or CRLF");
        }
      }
      if (!at_end()) {
        step();
      }
      return fields;
    }
  }

  Error wrong(std::string message) const { return wrong_at(place_, std::move(message)); }
  Error wrong_at(Position place, std::string message) const {
    return Error(Code::invalid_argument, std::move(message))
        .page(103)
        .at(file_, place.line, place.column);
  }
  Error full(std::string message) const {
    return Error(Code::resource_exhausted, std::move(message))
        .page(104)
        .at(file_, place_.line, place_.column);
  }

 private:
  char peek() const { return at_end() ? '\n' : text_[at_]; }

  void step() {
    char c = text_[at_++];
    if (c == '\n') {
      ++place_.line;
      place_.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++place_.column;
    }
  }

  Result<std::string> plain() {
    std::string field;
    while (peek() != ',' && peek() != '\n' && peek() != '\r') {
      if (peek() == '"') {
        return wrong("found a quote inside a field that does not start with one");
      }
      if (field.size() == limits_.field_bytes_max) {
        return full(fmt::format("a field of more than {} bytes", limits_.field_bytes_max));
      }
      field += peek();
      step();
    }
    return field;
  }

  Result<std::string> quoted() {
    auto start = place_;
    std::string field;
    step();
    for (;;) {
      if (at_end()) {
        return wrong_at(start, "found a quote that is never closed");
      }
      char c = peek();
      step();
      if (c == '"') {
        if (at_end() || peek() != '"') {
          break;
        }
        step();
      }
      if (field.size() == limits_.field_bytes_max) {
        return full(fmt::format("a field of more than {} bytes", limits_.field_bytes_max));
      }
      field += c;
    }
    if (peek() != ',' && peek() != '\n' && peek() != '\r') {
      return wrong("found text after a closing quote, wanted a comma or the end of the line");
    }
    return field;
  }

  std::string_view text_;
  std::string_view file_;
  const CsvLimits& limits_;
  std::size_t at_ = 0;
  Position place_{1, 1};
};

Result<std::vector<std::string>> header(Reader& reader) {
  auto columns = reader.record();
  if (!columns.ok()) {
    return columns;
  }
  std::unordered_set<std::string_view> seen;
  for (const auto& name : *columns) {
    if (name.empty()) {
      return reader.wrong_at({1, 1}, "found a column without a name in the header");
    }
    if (!seen.insert(name).second) {
      return reader.wrong_at(
          {1, 1}, fmt::format("found column '{}' twice in the header", excerpt(name, 60)));
    }
  }
  return columns;
}

}  // namespace

std::optional<std::size_t> CsvTable::column(std::string_view name) const {
  auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - columns.begin());
}

Result<CsvTable> parse_csv(std::string_view text, std::string_view file, const CsvLimits& limits) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) {
    text.remove_prefix(byte_order_mark.size());
  }
  Reader reader(text, file, limits);
  if (text.size() > limits.bytes_max) {
    return reader.full(
        fmt::format("found {} bytes of CSV, at most {} are taken", text.size(), limits.bytes_max));
  }
  if (!is_utf8(text)) {
    return reader.wrong_at({}, "found bytes that are not UTF-8");
  }
  if (text.empty()) {
    return reader.wrong("found an empty file, wanted a header line");
  }
  auto columns = header(reader);
  if (!columns.ok()) {
    return std::move(columns).error();
  }
  CsvTable table;
  table.columns = std::move(columns).value();
  while (!reader.at_end()) {
    if (table.rows.size() == limits.rows_max) {
      return reader.full(fmt::format("more than {} rows", limits.rows_max));
    }
    auto place = reader.place();
    auto fields = reader.record();
    if (!fields.ok()) {
      return std::move(fields).error();
    }
    if (fields->size() != table.columns.size()) {
      return reader.wrong_at(place, fmt::format("found {} fields, wanted {} as in the header",
                                                fields->size(), table.columns.size()));
    }
    table.rows.push_back({std::move(fields).value(), place});
  }
  return table;
}

}  // namespace aios::expr

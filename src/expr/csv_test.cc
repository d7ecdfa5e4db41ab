// SPDX-License-Identifier: Apache-2.0
#include "expr/csv.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using aios::Code;
using aios::expr::CsvLimits;
using aios::expr::parse_csv;
using aios::expr::Position;

aios::Error error_of(std::string_view text, const CsvLimits& limits = {}) {
  auto table = parse_csv(text, "t.csv", limits);
  REQUIRE_FALSE(table.ok());
  return table.error();
}

}  // namespace

TEST_CASE("csv: quoted fields hold commas, quotes and line breaks; rows keep their place") {
  auto table = parse_csv("text,label\r\n\"a, \"\"b\"\"\r\nc\",x\r\nplain,\n", "t.csv");
  REQUIRE_MESSAGE(table.ok(), table.error().text());
  CHECK(table->columns == std::vector<std::string>{"text", "label"});
  REQUIRE(table->rows.size() == 2);
  CHECK(table->rows[0].fields == std::vector<std::string>{"a, \"b\"\r\nc", "x"});
  CHECK(table->rows[1].fields == std::vector<std::string>{"plain", ""});
  CHECK(table->rows[1].place == Position{4, 1});
  CHECK(table->column("label") == 1);
  CHECK_FALSE(table->column("nothing").has_value());
}

TEST_CASE("csv: a byte order mark and a missing last line end are tolerated") {
  auto table = parse_csv(
      "\xEF\xBB\xBF"
      "a,b\n1,2",
      "t.csv");
  REQUIRE(table.ok());
  CHECK(table->columns[0] == "a");
  CHECK(table->rows.size() == 1);
  CHECK(parse_csv("a\n", "t.csv")->rows.empty());
}

TEST_CASE("csv: ragged rows are refused with their line") {
  CHECK(error_of("a,b\n1,2\n3\n").text().starts_with("t.csv:3:1: found 1 fields, wanted 2"));
  CHECK(error_of("a,b\n1,2,3\n").line() == 2);
  CHECK(error_of("a,b\n\n").line() == 2);
}

TEST_CASE("csv: broken quoting is refused where it breaks") {
  auto open = error_of("a,b\n1,\"x\n2,3\n");
  CHECK(open.line() == 2);
  CHECK(open.column() == 3);
  CHECK(error_of("a,b\nä\"x,1\n").column() == 2);
  CHECK(error_of("a\n\"x\"y\n").column() == 4);
  CHECK(error_of("a\rb\n").line() == 1);
}

TEST_CASE("csv: the header must name every column once") {
  CHECK(error_of("a,a\n").message() == "found column 'a' twice in the header");
  CHECK(error_of("a,\n").page() == 103);
  CHECK(error_of("").page() == 103);
  CHECK(error_of("a\n\xFF\n").message() == "found bytes that are not UTF-8");
}

TEST_CASE("csv: bytes, rows, columns and fields are bounded") {
  CHECK(error_of("a\n1\n2\n", {.rows_max = 1}).code() == Code::resource_exhausted);
  CHECK(error_of("a,b\n", {.columns_max = 1}).code() == Code::resource_exhausted);
  CHECK(error_of("a\nxyz\n", {.field_bytes_max = 2}).page() == 104);
  CHECK(error_of("a\n\"xyz\"\n", {.field_bytes_max = 2}).page() == 104);
  CHECK(error_of("abc\n", {.bytes_max = 2}).page() == 104);
}

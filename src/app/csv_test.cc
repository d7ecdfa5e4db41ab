// SPDX-License-Identifier: Apache-2.0
#include "app/csv.h"

#include <doctest/doctest.h>

namespace aios::app {

TEST_CASE("csv: commas, quotes and line ends are quoted, and nothing else is") {
  CHECK(csv_row({Json("plain"), Json(7), Json(nullptr), Json(true)}) == "plain,7,,true\r\n");
  CHECK(csv_cell(Json("a,b")) == R"("a,b")");
  CHECK(csv_cell(Json(R"(say "yes")")) == R"("say ""yes""")");
  CHECK(csv_cell(Json("two\nlines")) == "\"two\nlines\"");
  CHECK(csv_cell(Json(" blank")) == "\" blank\"");
  CHECK(csv_cell(JsonArray{1, 2}) == R"("[1,2]")");
}

TEST_CASE("csv: what a spreadsheet would run is a text, and a negative number stays one") {
  for (const char* text : {"=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", " =1", "\r=1"}) {
    const auto cell = csv_cell(Json(text));
    CAPTURE(text);
    CHECK((cell.starts_with("\"'") || cell.starts_with("'")));
  }
  CHECK(csv_cell(Json(-5)) == "-5");
  CHECK(csv_cell(Json("a=1")) == "a=1");
}

TEST_CASE("csv: objects are taken apart by their paths, to a depth, and lists are not") {
  JsonObject out;
  const Json value = JsonObject{{"a", JsonObject{{"b", 1}, {"c", JsonObject{{"d", 2}}}}},
                                {"list", JsonArray{JsonObject{{"x", 1}}}}};
  flatten("output", value, 2, &out);
  CHECK(to_text(out) == R"({"output.a.b":1,"output.a.c":{"d":2},"output.list":[{"x":1}]})");
}

}  // namespace aios::app

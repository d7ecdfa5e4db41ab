// SPDX-License-Identifier: Apache-2.0
#include "app/table.h"

#include "core/text.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace aios::app {
namespace {

const std::string sentence(190, 'w');

Table runs() {
  return {.header = {"ID", "STATUS", "WAITING FOR", "UPDATED", "WORKFLOW"},
          .rows = {{"run_01hx", "waiting", sentence, "2026-11-21T14:45:45Z", "support/ticket@1.0"},
                   {"run_01hy", "completed", "", "2026-11-21T14:45:46Z", "support/ticket@1.0"}},
          .text_title = "WAITING FOR"};
}

std::size_t widest(const std::string& text) {
  std::size_t most = 0;
  for (const std::string_view line : split(text, '\n')) {
    most = std::max(most, line.size());
  }
  return most;
}

TEST_CASE("table: free text gives room to every other column before one goes") {
  for (const std::size_t columns : {110U, 120U, 200U}) {
    CAPTURE(columns);
    const TableText table = table_text(runs(), columns);
    CHECK(table.hidden.empty());
    CHECK(widest(table.text) <= columns);
    CHECK(table.text.find("support/ticket@1.0") != std::string::npos);
    CHECK(table.text.find("www...") != std::string::npos);
  }
  CHECK(table_text(runs(), 300).text.find(sentence) != std::string::npos);
}

TEST_CASE("table: what does not fit is left out from the right and named") {
  const TableText table = table_text(runs(), 60);
  CHECK(table.hidden == std::vector<std::string>{"UPDATED", "WORKFLOW"});
  CHECK(widest(table.text) == 60);
  CHECK(table.text.find("www...") != std::string::npos);
  const TableText small = table_text(runs(), 33);
  CHECK(small.hidden.size() == 2);
  CHECK(widest(small.text) == 33);
  CHECK(table_text(runs(), 32).hidden.size() == 3);
  const TableText narrow = table_text(runs(), 1);
  CHECK(narrow.hidden.size() == 4);
  CHECK(narrow.text == "ID\nrun_01hx\nrun_01hy\n");
}

TEST_CASE("table: without a terminal nothing is cut, and one long text pads no other row") {
  const TableText table = table_text(runs(), 0);
  CHECK(table.hidden.empty());
  CHECK(table.text.find(sentence) != std::string::npos);
  const auto lines = split(table.text, '\n');
  REQUIRE(lines.size() >= 3);
  CHECK(lines[2].starts_with("run_01hy"));
  CHECK(lines[2].size() < 110);
  CHECK(lines[2].ends_with("support/ticket@1.0"));
}

TEST_CASE("table: a cell is one line, whatever it holds") {
  const TableText table =
      table_text({.header = {"A", "B"}, .rows = {{"one\ntwo", "x"}}, .text_title = ""}, 0);
  CHECK(std::count(table.text.begin(), table.text.end(), '\n') == 2);
}

}  // namespace
}  // namespace aios::app

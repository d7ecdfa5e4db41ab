// SPDX-License-Identifier: Apache-2.0
// docs/guide/errors-in-workflows.md says which error each code becomes.
#include "core/text.h"
#include "workflow/problem.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace aios::workflow {
namespace {

/// "code type status" of each row below the heading.
std::set<std::string> rows_in_guide() {
  std::ifstream in(AIOS_SOURCE_DIR "/docs/guide/errors-in-workflows.md", std::ios::binary);
  REQUIRE(in);
  const std::string guide((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::set<std::string> rows;
  bool here = false;
  for (const auto& line : split(guide, '\n')) {
    if (line.starts_with("#")) {
      here = line == "## From a code to an error";
    } else if (here && line.starts_with("| `")) {
      const auto cells = split(line, '|');
      const std::string_view code = trim(cells[1]);
      rows.insert(
          fmt::format("{} {} {}", code.substr(1, code.size() - 2), trim(cells[2]), trim(cells[3])));
    }
  }
  return rows;
}

}  // namespace

TEST_CASE("problem: the guide has each code with its type and status") {
  constexpr std::string_view uri = "https://open-workflow-specification.org/spec/1.0.0/errors/";
  std::set<std::string> rows;
  for (int i = 0; i <= static_cast<int>(Code::rate_limited); ++i) {
    const auto code = static_cast<Code>(i);
    const Problem problem = problem_of(Error(code, "x"), "/do/0");
    REQUIRE(problem.type.starts_with(uri));
    rows.insert(
        fmt::format("{} {} {}", name_of(code), problem.type.substr(uri.size()), problem.status));
  }
  CHECK(rows == rows_in_guide());
}

}  // namespace aios::workflow

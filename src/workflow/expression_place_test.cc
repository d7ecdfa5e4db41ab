// SPDX-License-Identifier: Apache-2.0
// A mistake in an expression is shown where it stands in the file, however the text is written.
#include "workflow/function.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace aios::workflow {
namespace {

std::string document_of(const std::string& tasks) {
  return std::string(test::head_text) + "do:\n" + tasks;
}

/// The place and text of the one error of a document whose seventh line is the first of `tasks`.
std::string error_of(const std::string& tasks) {
  const FunctionRegistry registry;
  const auto errors = Engine::check({{"w.yaml", document_of(tasks)}}, registry);
  REQUIRE(errors.size() == 1);
  return errors.front().text();
}

bool at(const std::string& text, const std::string& place) {
  CAPTURE(text);
  const bool there = text.starts_with("w.yaml:" + place + ": ");
  CHECK(there);
  return there;
}

TEST_CASE("expression: a mistake has its line and column in the file") {
  at(error_of("  - a: {set: {x: '${ .b + }'}}\n"), "7:26");
  at(error_of("  - a:\n      set:\n        x: ${ \"é\" + ) }\n"), "9:21");
  at(error_of("  - a:\n      set:\n        x: \"${ .\\\"b\\\" + ) }\"\n"), "9:25");
  at(error_of("  - a:\n      set:\n        x: |\n          ${\n            .b\n            + )\n"
              "          }\n"),
     "12:15");
  at(error_of("  - a:\n      set:\n        x: >-\n          ${ .b\n          + ) }\n"), "11:13");
  at(error_of("  - a:\n      set:\n        deep: [1, {y: '${ nope(1) }'}]\n"), "9:27");
  at(error_of("  - a:\n      if: .b + )\n      set: {x: 1}\n"), "8:16");
}

TEST_CASE("expression: a mistake that an alias brought is told by its character") {
  const std::string text =
      error_of("  - a:\n      metadata: {keep: &bad '${ .b + ) }'}\n      set: {x: *bad}\n");
  at(text, "9:12");
  CHECK(text.find("(character 6 of the expression)") != std::string::npos);
}

}  // namespace
}  // namespace aios::workflow

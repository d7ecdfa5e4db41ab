// SPDX-License-Identifier: Apache-2.0
#include "govern/guard.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::govern {
namespace {

constexpr const char* kModels = R"(package aios.pre_model_call
import rego.v1
default allow := false
allow if input.model.alias == "intent"
)";

}  // namespace

TEST_CASE("guard: a failed test says which statement does not hold, and what it found") {
  const PolicyFile policy{"m.rego", kModels};
  const std::string head = "package m_test\nimport rego.v1\nimport data.aios.pre_model_call as m\n";
  const auto why = [&](const std::string& rule) {
    const auto result = Guard::test({policy, {"m_test.rego", head + rule + "\n"}}, JsonObject());
    REQUIRE_FALSE(result.ok());
    return result.error().message();
  };
  const auto says = [&](const std::string& rule, const std::string& text) {
    const std::string message = why(rule);
    CHECK_MESSAGE(message.find(text) != std::string::npos, message);
  };
  says("test_a if {\n\tx := 2 + 1\n\tx > 1\n\tx == 5\n\tx == 3\n}",
       "m_test.rego:7:2: 'x == 5' does not hold: x is 3");
  says(
      "test_a if {\n\tm.allow with input as {\"model\": {\"alias\": \"other\"}}\n}",
      "m_test.rego:5:2: 'm.allow with input as {\"model\": {\"alias\": \"other\"}}' does not hold: "
      "m.allow is ");
  says("test_a if {\n\tcount(input.rows) == 2 with input as {\"rows\": [1]}\n}",
       "does not hold: count(input.rows) is 1");
  says("test_a if {\n\tnot m.allow with input as {\"model\": {\"alias\": \"intent\"}}\n}",
       "does not hold: m.allow is true");
  says("test_a if {\n\tx := input.nothing\n\tx == 1\n}", "'x == 1' does not hold: x is undefined");
  says("test_a if {\n\tsome x in [1, 2]\n\tx == 3\n}", "'x == 3' does not hold");
  says("test_a if {\n\tprint(\"seen\", 4)\n\t1 == 2\n}", "printed: m_test.rego:5: seen 4");
  says("test_a if {\n\tx := {\"a\": 1, \"b\": [2]}\n\tx == {\"a\": 1, \"b\": [3]}\n}",
       "m_test.rego:6:2: 'x == {\"a\": 1, \"b\": [3]}' does not hold: x is {\"a\":1,\"b\":[2]}");
  says("test_a if {\n\t{\"a\": 1} == input.x with input as {\"x\": {\"a\": 2}}\n}",
       "does not hold: input.x is {\"a\":2}");
  // Of two bodies none is the one that was meant: the place alone.
  CHECK(why("test_a if 1 == 2\ntest_a if 1 == 3").find("does not hold") == std::string::npos);
}

}  // namespace aios::govern

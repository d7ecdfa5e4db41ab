// SPDX-License-Identifier: Apache-2.0
// Programs put together at random, from a fixed seed.
#include "expr/jq.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

TEST_CASE("jq: mutilated programs end with a value or an error, within their limits") {
  using namespace aios::expr;
  // clang-format off
  constexpr std::string_view parts[] = {
      ".", ".a", "[.[]]", "|", ",", "//", "|=", "+=", "=", "1", "\"x\"", "\"\\(.)\"", "(", ")",
      "[", "]", "{a:1}", "..", "?", "try ", " catch ", "reduce .[] as $x (0;.+$x)", "first(",
      "path(", "label $f|", "break $f", "def f: .;", "f", "def g(h): h|h;", "g(", "limit(3;",
      "range(5)", "if . then ", " else ", " end", " as $x|", "$x", " as [$a,{b:$c}]|", "?//", "-",
      "*", "<", "getpath([\"a\"])", "del(.[0])", "empty", "error", "tojson", "map(", "to_entries",
      "foreach .[] as $x (0;.+1)", "@base64", "sub(\"a\";\"b\")", "input", "recurse", "isempty(",
      "$__loc__", "paths", "with_entries(", "walk(", "{(\"a\",\"b\"): .}", ".[1:]", ".[-1]",
  };
  // clang-format on
  std::uint32_t state = 20261121;
  auto random = [&state] { return (state = state * 1664525 + 1013904223) >> 8; };
  EvalOptions options;
  options.limits.steps_max = 20'000;
  auto input = aios::parse_json(R"({"a":[1,{"b":null},"abc"],"c":{"d":[[],{}]}})");
  REQUIRE(input.ok());
  int compiled = 0;
  int values = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto length = 1 + random() % 9; length > 0; --length) {
      text += parts[random() % std::size(parts)];
    }
    auto program = Program::compile(text);
    if (program.ok()) {
      ++compiled;
      values += program->eval_all(*input, {}, options).ok() ? 1 : 0;
    }
  }
  MESSAGE("of 20,000 random programs " << compiled << " compile and " << values << " give values");
  CHECK(compiled > 500);
  CHECK(values > 200);
}

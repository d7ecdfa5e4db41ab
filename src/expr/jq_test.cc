// SPDX-License-Identifier: Apache-2.0
#include "expr/jq.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

namespace {

using aios::Code;
using aios::Json;
using aios::expr::CompileOptions;
using aios::expr::EvalOptions;
using aios::expr::Program;
using aios::expr::Variable;

Json json(std::string_view text) {
  auto value = aios::parse_json(text);
  REQUIRE_MESSAGE(value.ok(), value.error().text());
  return *value;
}

Program compile(std::string_view text, const CompileOptions& options = {}) {
  auto program = Program::compile(text, options);
  REQUIRE_MESSAGE(program.ok(), program.error().text());
  return *program;
}

/// All outputs as one array's text.
std::string all(std::string_view text, std::string_view input = "null") {
  auto outputs = compile(text).eval_all(json(input));
  REQUIRE_MESSAGE(outputs.ok(), outputs.error().text());
  std::string shown;
  for (const auto& output : *outputs) {
    shown += (shown.empty() ? "" : " ") + aios::to_text(output);
  }
  return shown;
}

aios::Error failure(std::string_view text, std::string_view input = "null",
                    const EvalOptions& options = {}) {
  auto outputs = compile(text).eval_all(json(input), {}, options);
  REQUIRE_FALSE_MESSAGE(outputs.ok(), text);
  return outputs.error();
}

aios::Error refusal(std::string_view text, const CompileOptions& options = {}) {
  auto program = Program::compile(text, options);
  REQUIRE_FALSE_MESSAGE(program.ok(), text);
  return program.error();
}

}  // namespace

TEST_CASE("jq: an expression of more than 64 KiB is refused where it stands") {
  const std::string longest = "1" + std::string((64 << 10) - 1, ' ');
  CHECK(Program::compile(longest).ok());
  CompileOptions options;
  options.file = "flow.yaml";
  options.line = 7;
  options.column = 3;
  const auto error = refusal(longest + " ", options);
  CHECK(error.code() == Code::invalid_argument);
  CHECK(error.page() == 107);
  CHECK(error.message().find("65537 bytes, at most 65536") != std::string::npos);
  CHECK(error.file() == "flow.yaml");
  CHECK(error.line() == 7);
  CHECK(error.column() == 3);
}

TEST_CASE("jq: paths, pipes and construction") {
  CHECK(all(".a.b, .c[1], .[\"a\"].b?", R"({"a":{"b":1},"c":[2,3]})") == "1 3 1");
  CHECK(all("{a, \"b\": .c | length, (.d): 1}", R"({"a":1,"c":[1,2],"d":"x"})") ==
        R"({"a":1,"b":2,"x":1})");
  CHECK(all("[.[] | select(. > 1) | . * 2]", "[1,2,3]") == "[4,6]");
  CHECK(all("\"\\(.a) and \\(.b)\"", R"({"a":1,"b":[2]})") == "\"1 and [2]\"");
}

TEST_CASE("jq: updates change the input's copy, never the input") {
  auto input = json(R"({"a":[1,2,{"b":3}],"c":4})");
  auto changed = compile(".a[2].b += 10 | .c |= empty | .a[0] = .a[1]").eval_one(input);
  REQUIRE_MESSAGE(changed.ok(), changed.error().text());
  CHECK(*changed == json(R"({"a":[2,2,{"b":13}]})"));
  CHECK(input == json(R"({"a":[1,2,{"b":3}],"c":4})"));
}

TEST_CASE("jq: whole numbers beyond 2^53 keep their digits while nobody computes with them") {
  CHECK(all(".id, [.id]", R"({"id":9007199254740993})") == "9007199254740993 [9007199254740993]");
  CHECK(all("[.[0] == .[1], .[0] < .[1]]", "[9007199254740993, 9007199254740995]") ==
        "[false,true]");
  CHECK(all(".", "18446744073709551615") == "18446744073709551615");
}

TEST_CASE("jq: // stands in for null, false and nothing, not for errors") {
  CHECK(all("[.a // 1, .b // 2, (empty // 3), ((null, 4, false) // 5)]", R"({"b":false})") ==
        "[1,2,3,4]");
  CHECK(failure("error(\"left\") // 1").message().starts_with("left"));
  CHECK(all("try error(\"left\") // 1") == "1");
}

TEST_CASE("jq: variables are given by name and borrowed") {
  auto program = compile("{a: $run.id, b: (. + $n)}", {.variables = {"run", "n"}});
  auto run = json(R"({"id":"run_1"})");
  auto n = json("2");
  std::vector<Variable> given = {{"n", &n}, {"run", &run}};
  auto value = program.eval_one(json("1"), given);
  REQUIRE_MESSAGE(value.ok(), value.error().text());
  CHECK(*value == json(R"({"a":"run_1","b":3})"));
  auto missing = program.eval_one(json("1"), std::span(given).first(1));
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().message() == "variable $run has no value");
}

TEST_CASE("jq: one value is wanted, none and several are refused") {
  CHECK(compile(".[0]").eval_one(json("[7]")).ok());
  auto none = compile("empty").eval_one(nullptr);
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().page() == 110);
  auto several = compile(".[]").eval_one(json("[1,2]"));
  REQUIRE_FALSE(several.ok());
  CHECK(several.error().message().starts_with("found more than one value"));
}

TEST_CASE("jq: errors say what was found; try catches them, not what comes after") {
  auto error = failure(".a.b", R"({"a":[1]})");
  CHECK(error.page() == 108);
  CHECK(error.message().starts_with("Cannot index array with string (\"b\")"));
  CHECK(all("try error({a: 1}) catch .a") == "1");
  CHECK(all("[.[] | (1 / .)?]", "[1,0,2]") == "[1,0.5]");
  CHECK(failure("(try 1 catch 2) | error(\"later\")").message().starts_with("later"));
  CHECK(failure("error({a: 1})").message().starts_with(R"({"a":1} (not a string))"));
}

TEST_CASE("jq: what cannot be compiled is refused with its place") {
  auto error = refusal(".a |\n  selct(.b)", {.file = "w.yaml", .line = 10, .column = 5});
  CHECK(error.page() == 107);
  CHECK(error.text().starts_with("w.yaml:11:3: selct/1 is not defined; did you mean select?"));
  CHECK(refusal(".a + ]", {.file = "w.yaml", .line = 10, .column = 5}).column() == 10);
  CHECK(refusal("$nothing").message().starts_with("$nothing is not defined"));
  CHECK(refusal("halt").message().starts_with("halt is not available"));
  CHECK(refusal("import \"a\" as a; .").code() == Code::invalid_argument);
  CHECK(refusal("\"\\q\"").message().starts_with("found the unknown escape"));
  CHECK_FALSE(Program::compile("\"\xFF\"").ok());
}

TEST_CASE("jq: nothing outside is reached") {
  CHECK(all("env, $ENV, input_line_number, input_filename") == "{} {} 0 null");
  CHECK(failure("input").message().starts_with("break"));
  EvalOptions options;
  options.now = {1'700'000'000'500'000'000};
  CHECK(*compile("now").eval_one(nullptr, {}, options) == json("1700000000.5"));
  CHECK(*compile("now | todate").eval_one(nullptr, {}, options) == "2023-11-14T22:13:20Z");
}

TEST_CASE("jq: endless and enormous expressions end with a clear error") {
  for (std::string_view text : {"def f: f; f",
                                "def f: 1 + f; f",
                                "def f: f | f; f",
                                "def f: (f, f); f",
                                "[range(1e9)]",
                                "range(1e9)",
                                "last(range(1e9))",
                                "repeat(1)",
                                "until(false; .)",
                                "[recurse(. + 1)]",
                                "\"x\" * 1e9 * 2",
                                "reduce range(100) as $i ([1]; . + .)",
                                "reduce range(64) as $i (1; [., .])",
                                "reduce range(64) as $i (\"x\"; . + .)",
                                "reduce range(64) as $i (1; [., .]) | tojson",
                                ".[1e8] = 1",
                                "reduce range(1e6) as $i (0; [.])",
                                "[limit(1e9; repeat(\"abc\"))] | join(\",\")",
                                "def f(x): x | f(x | x); f(.)",
                                "\"\\(range(1e9))\"",
                                "first(range(1e9) | select(. < 0))",
                                "(\"a\" * 40 + \"b\") | test(\"^(a+)+$\")",
                                "path(repeat(.a))"}) {
    auto error = failure(text);
    CHECK_MESSAGE(
        (error.code() == Code::resource_exhausted || error.message().find("too long") != 0), text);
    bool stopped = error.page() == 109 || error.message().starts_with("Repeat string");
    CHECK_MESSAGE(stopped, text, " gave ", error.text());
  }
}

TEST_CASE("jq: looking for a text takes no product of two lengths") {
  CHECK(all(R"(("a" * 3000000) | contains("a" * 1500000 + "b"))") == "false");
  CHECK(all(R"(("a" * 3000000) | split("a" * 1500000 + "b") | length)") == "1");
  CHECK(all(R"(("a" * 3000000) | index("a" * 1500000 + "b"))") == "null");
  CHECK(all(R"(("a" * 1500000 + "b") as $x | ("a" * 3000000 + $x) | contains($x))") == "true");
  CHECK(failure(R"(("a" * 300000) | indices("a" * 150000) | length)").page() == 109);
}

TEST_CASE("jq: limits cannot be caught") {
  CHECK(failure("try (def f: f; f) catch 1").page() == 109);
  CHECK(failure("(try (def f: 1 + f; f)) // 1").page() == 109);
  CHECK(failure("[.[]?, (def f: f; f)?]").page() == 109);
}

TEST_CASE("jq: each limit is the one asked for") {
  EvalOptions options;
  options.limits.steps_max = 100;
  CHECK(failure("[range(1000)]", "null", options).message().find("100 steps") != std::string::npos);
  options = {};
  options.limits.outputs_max = 3;
  CHECK(failure("1, 2, 3, 4", "null", options).message().find("3 values") != std::string::npos);
  CHECK(compile("1, 2, 3").eval_all(nullptr, {}, options)->size() == 3);
  options = {};
  options.limits.memory_bytes_max = 10'000;
  CHECK(failure("[range(1000)]", "null", options).message().find("memory") != std::string::npos);
  options = {};
  options.limits.depth_max = 10;
  CHECK(failure("def f: if . > 20 then 0 else 1 + (. + 1 | f) end; f", "0", options)
            .message()
            .find("10 levels") != std::string::npos);
  options = {};
  options.limits.output_depth_max = 2;
  CHECK(compile("[[1]]").eval_one(nullptr, {}, options).ok());
  CHECK(failure("[[[1]]]", "null", options).page() == 109);
}

TEST_CASE("jq: recursion at the end of a function takes no room") {
  EvalOptions options;
  options.limits.depth_max = 50;
  auto program = compile("def f: if . >= 20000 then . else . + 1 | f end; 0 | f");
  auto value = program.eval_one(nullptr, {}, options);
  REQUIRE_MESSAGE(value.ok(), value.error().text());
  CHECK(*value == 20000);
}

TEST_CASE("jq: nesting of the text is bounded") {
  auto many = [](std::string_view part, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += part;
    }
    return text;
  };
  for (std::string_view part :
       {"(", "[", "{a:", "-", "1+", ".a", "if 1 then ", "\"\\(", "try ", "def f: ", "1 as $x|",
        ". as [", "reduce 1 as $x (", ".[", "1//", "label $x|", "f("}) {
    for (int count : {1'500, 20'000}) {
      auto program = Program::compile(many(part, count));
      REQUIRE_FALSE_MESSAGE(program.ok(), part);
      CHECK(program.error().page() == 107);
    }
  }
  CHECK_FALSE(Program::compile("if 1 then 1 " + many("elif 1 then 1 ", 20'000) + "end").ok());
  CHECK_FALSE(Program::compile("{a: " + many("1|", 20'000) + many("{a:", 5'000)).ok());
  CHECK(all("[" + many("1,", 5000) + "1] | length") == "5001");
  CHECK(all(many("1|", 5000) + ".") == "1");
}

TEST_CASE("jq: threads share one program") {
  auto program = compile("[.items[] | {a: .x, b: (.x | tostring)}] | map(.b) | join(\",\")");
  auto input = json(R"({"items":[{"x":1},{"x":2},{"x":3}]})");
  int wrong[2] = {0, 0};
  auto work = [&](int* count) {
    for (int i = 0; i < 2000; ++i) {
      auto value = program.eval_one(input);
      *count += value.ok() && *value == "1,2,3" ? 0 : 1;
    }
  };
  std::thread other(work, &wrong[0]);
  work(&wrong[1]);
  other.join();
  CHECK(wrong[0] + wrong[1] == 0);
}

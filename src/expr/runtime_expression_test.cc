// SPDX-License-Identifier: Apache-2.0
#include "expr/runtime_expression.h"

#include <doctest/doctest.h>

#include <vector>

namespace {

using aios::Json;
using namespace aios::expr;

Json json(std::string_view text) {
  auto value = aios::parse_json(text);
  REQUIRE_MESSAGE(value.ok(), value.error().text());
  return *value;
}

}  // namespace

TEST_CASE("runtime expression: only a text that is one from end to end") {
  CHECK(shape_of("${ .a }") == TextShape::expression);
  CHECK(shape_of(" ${.a}\n") == TextShape::expression);
  CHECK(shape_of("${}") == TextShape::expression);
  CHECK(shape_of("Hello ${ .a }") == TextShape::mixed);
  CHECK(shape_of("{ .a }") == TextShape::literal);
  CHECK(shape_of("$") == TextShape::literal);
  CHECK(expression_in("${ .a | {b: .} }") == ".a | {b: .}");
  CHECK_FALSE(expression_in("Hello ${ .a }").has_value());
}

TEST_CASE("template: expressions become values of any type, the rest stays") {
  auto made = Template::compile(
      json(R"({"a": "${ .x }", "b": ["text", "${ [.x, $n] }", 3], "c": {"d": "Hello ${ .x }"}})"),
      {.variables = {"n"}});
  REQUIRE_MESSAGE(made.ok(), made.error().text());
  auto n = json("2");
  std::vector<Variable> given = {{"n", &n}};
  auto filled = made->evaluate(json(R"({"x": {"y": true}})"), given);
  REQUIRE_MESSAGE(filled.ok(), filled.error().text());
  CHECK(*filled == json(R"({"a": {"y": true}, "b": ["text", [{"y": true}, 2], 3],
                            "c": {"d": "Hello ${ .x }"}})"));
  CHECK_FALSE(made->is_constant());
}

TEST_CASE("template: a document without expressions is given back as it is") {
  auto document = json(R"({"a": [1, {"b": "text"}], "c": null})");
  auto made = Template::compile(document);
  REQUIRE(made.ok());
  CHECK(made->is_constant());
  CHECK(*made->evaluate(nullptr) == document);
}

TEST_CASE("expression: one that is not closed says so") {
  const auto open = compile_text("${ . ", "", {}, nullptr);
  REQUIRE_FALSE(open.ok());
  CHECK(open.error().page() == 107);
  CHECK(open.error().message() == "'${' is not closed, wanted a '}' at the end of the text");
}

TEST_CASE("template: errors name the place in the document") {
  auto broken = Template::compile(json(R"({"a": [1, "${ .b | }"]})"));
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().page() == 107);
  CHECK(broken.error().text().find("/a/1") != std::string::npos);
  auto made = Template::compile(json(R"({"set": {"a/b": "${ .x + 1 }"}})"));
  REQUIRE(made.ok());
  auto failed = made->evaluate(json(R"({"x": {}})"));
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().page() == 108);
  CHECK(failed.error().text().find("/set/a~1b") != std::string::npos);
  auto several = Template::compile(Json("${ .[] }"));
  REQUIRE(several.ok());
  CHECK(several->evaluate(json("[1, 2]")).error().page() == 110);
}

// SPDX-License-Identifier: Apache-2.0
#include "bundle/test/checking.h"

#include <doctest/doctest.h>

namespace aios::bundle {
namespace {

using Texts = std::vector<std::string>;

constexpr const char* manifest = R"(name: desk
kind: http
region: eu
baseUrl: "http://127.0.0.1:1"
operations:
  pay:
    method: POST
    path: /refunds
    effect: none
    arguments:
      type: object
      required: [order, amount_cents]
      additionalProperties: false
      properties:
        order: {type: string, pattern: "^ORD-"}
        amount_cents: {type: integer, minimum: 1}
        to:
          type: object
          required: [name]
          additionalProperties: false
          properties: {name: {type: string}}
      if: {properties: {order: {const: ORD-0}}, required: [order]}
      then: {required: [to]}
      else: {$ref: '#/$defs/large'}
      $defs: {large: {properties: {amount_cents: {minimum: 2}}}}
    resultSchema: {}
)";

/// A step that gives `arguments`, a flow mapping, in line 8.
Texts errors_of(const std::string& arguments) {
  Files files = {{"aios.yaml", "name: app\nversion: 1.0.0\n"},
                 {"connectors/desk/connector.yaml", manifest}};
  test::allow_all(&files);
  files["workflows/flow.yaml"] =
      "document: {dsl: 1.0.3, namespace: t, name: flow, version: 1.0.0}\n"
      "do:\n"
      "  - pay:\n"
      "      call: connector:1.0.0@default\n"
      "      with:\n"
      "        connector: desk\n"
      "        operation: pay\n" +
      arguments + "\n";
  const auto checked = test::check(std::move(files));
  CHECK(test::texts(checked.warnings).empty());
  return test::texts(checked.errors);
}

TEST_CASE("arguments: what fits, or may fit once its expressions are known, is no error") {
  CHECK(errors_of("        arguments: {order: ORD-1, amount_cents: 5}").empty());
  CHECK(errors_of("        arguments: {order: '${ .o }', amount_cents: '${ .a }'}").empty());
  CHECK(errors_of("        arguments: '${ . }'").empty());
  // Which of the two schemas holds hangs on the order, also through a reference.
  CHECK(errors_of("        arguments: {order: '${ .o }', amount_cents: 1}").empty());
  CHECK(errors_of("        arguments: {order: ORD-1, amount_cents: 1}").size() == 1);
  // which of the two schemas holds hangs on the order
  CHECK(errors_of("        arguments: {order: '${ .o }', amount_cents: 5}").empty());
  CHECK(errors_of("        arguments: {order: ORD-1, amount_cents: 5, to: {name: '${ .n }'}}")
            .empty());
}

TEST_CASE("arguments: a misspelt name is told of once, at its place, with the nearest one") {
  CHECK(errors_of("        arguments: {order: ORD-1, amount_cent: '${ .a }'}") ==
        Texts{"workflows/flow.yaml:8:35: 'amount_cent' is no argument of 'desk.pay'; did you mean "
              "'amount_cents'?  [AIOS-1118]"});
  CHECK(errors_of("        arguments: {order: ORD-1, amount_cents: 1, to: {nam: '${ .n }'}}") ==
        Texts{"workflows/flow.yaml:8:57: 'nam' is no argument of 'desk.pay'; did you mean 'name'?  "
              "[AIOS-1118]"});
}

TEST_CASE("arguments: a name that is missing is told of, also where there are no arguments") {
  CHECK(errors_of("        arguments: {order: '${ .o }'}") ==
        Texts{"workflows/flow.yaml:8:20: 'desk.pay' wants the argument 'amount_cents', which is "
              "not given  [AIOS-1118]"});
  const auto none = errors_of("");
  REQUIRE(none.size() == 2);
  CHECK(none[0].starts_with("workflows/flow.yaml:6:9: 'desk.pay' wants the argument 'order'"));
}

TEST_CASE("arguments: a literal of another type or form is told of with what was found") {
  const auto type = errors_of("        arguments: {order: '${ .o }', amount_cents: ten}");
  REQUIRE(type.size() == 1);
  CHECK(type[0].starts_with("workflows/flow.yaml:8:53: argument 'amount_cents' of 'desk.pay': "));
  CHECK(type[0].find("ten") != std::string::npos);
  CHECK(type[0].find("integer") != std::string::npos);
  CHECK(errors_of("        arguments: {order: B-1, amount_cents: 0}").size() == 3);    // two for 0
  CHECK(errors_of("        arguments: {order: ORD-0, amount_cents: 1}").size() == 1);  // `then`
}

}  // namespace
}  // namespace aios::bundle

// SPDX-License-Identifier: Apache-2.0
#include "bundle/openapi.h"

#include "connectors/connectors.h"
#include "expr/yaml.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace aios::bundle {
namespace {

/// A document with one operation GET /a that answers with this schema.
std::string document(std::string_view version, std::string_view schema,
                     std::string_view rest = "") {
  return fmt::format(
      "openapi: {}\ninfo: {{title: t, version: '1'}}\nservers: [{{url: 'http://a.test'}}]\n"
      "paths: {{/a: {{get: {{operationId: look, responses: {{'200': {{content: "
      "{{application/json: {{schema: {}}}}}}}}}}}}}}}\n{}\n",
      version, schema, rest);
}

/// The schema of the answer as it stands in the manifest.
std::string result_schema(const std::string& text) {
  auto made = connector_from_openapi(text, "d.yaml", {"a", {}});
  REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().text()));
  auto manifest = expr::parse_yaml(made->manifest, "m.yaml");
  REQUIRE(manifest.ok());
  return to_text(manifest->value.at("operations").at("look").at("resultSchema"));
}

TEST_CASE("openapi: what 3.0 says otherwise is said as JSON Schema says it") {
  CHECK(result_schema(document("3.0.3", "{type: string, nullable: true}")) ==
        R"x({"type":["string","null"]})x");
  CHECK(result_schema(document("3.0.3", "{type: number, minimum: 1, exclusiveMinimum: true}")) ==
        R"x({"type":"number","exclusiveMinimum":1})x");
  CHECK(result_schema(document("3.0.3", "{type: number, minimum: 1, exclusiveMinimum: false}")) ==
        R"x({"type":"number","minimum":1})x");
  CHECK(result_schema(document("3.1.0", "{type: number, exclusiveMinimum: 1}")) ==
        R"x({"type":"number","exclusiveMinimum":1})x");
}

TEST_CASE("openapi: a schema within itself ends, and so does one that grows without bound") {
  CHECK(result_schema(document("3.0.3", "{$ref: '#/components/schemas/N'}",
                               "components: {schemas: {N: {properties: {next: {$ref: "
                               "'#/components/schemas/N'}}}}}")) ==
        R"x({"properties":{"next":{}}})x");
  // each level names the next one twice: 2^30 values when put in place
  std::string levels = "components:\n  schemas:\n    L30: {type: string}\n";
  for (int level = 29; level >= 0; --level) {
    levels += fmt::format(
        "    L{0}: {{properties: {{a: {{$ref: '#/components/schemas/L{1}'}}, b: {{$ref: "
        "'#/components/schemas/L{1}'}}}}}}\n",
        level, level + 1);
  }
  auto made = connector_from_openapi(document("3.0.3", "{$ref: '#/components/schemas/L0'}", levels),
                                     "d.yaml", {"a", {}});
  REQUIRE(made.ok());
  CHECK(std::any_of(made->notes.begin(), made->notes.end(), [](const std::string& note) {
    return note.find("too large") != std::string::npos;
  }));
}

TEST_CASE("openapi: a document of any number of operations and notes ends") {
  const auto of = [](int count, const auto& path_item) {
    std::string text = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n";
    for (int i = 0; i < count; ++i) {
      text += fmt::format("  /a{}: {}\n", i, path_item(i));
    }
    return connector_from_openapi(text, "d.yaml", {"a", {}});
  };
  const auto many = of(12'000, [](int) { return "{get: {operationId: o, responses: {}}}"; });
  REQUIRE(many.ok());
  CHECK(many->operations.size() == 500);
  CHECK(many->operations[1] == "o_2");
  CHECK(many->notes.size() == 2'000);
  CHECK(many->notes.back() == "and more that is not told here");
  std::string doubling;
  for (int i = 0; i < 30; ++i) {
    doubling += fmt::format(
        "    S{}: {{properties: {{a: {{$ref: '#/components/schemas/S{}'}}, b: {{$ref: "
        "'#/components/schemas/S{}'}}}}}}\n",
        i, i + 1, i + 1);
  }
  const std::string use =
      "{'200': {description: d, content: {application/json: {schema: {$ref: "
      "'#/components/schemas/S0'}}}}}";
  std::string text = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n";
  for (int i = 0; i < 100; ++i) {
    text += fmt::format("  /a{}: {{get: {{operationId: o{}, responses: {}}}}}\n", i, i, use);
  }
  const auto large = connector_from_openapi(
      text + "components:\n  schemas:\n" + doubling + "    S30: {type: string}\n", "d.yaml",
      {"a", {}});
  REQUIRE_MESSAGE(large.ok(), (large.ok() ? "" : large.error().text()));
  CHECK(large->operations.size() == 100);
  CHECK(large->manifest.size() < 4'000'000);  // what a connector's file may have
}

TEST_CASE("openapi: references to nothing and out of the document take any value, and are told") {
  for (const char* target : {"#/nowhere", "https://a.test/x", "other.yaml#/A"}) {
    auto made = connector_from_openapi(document("3.1.0", fmt::format("{{$ref: '{}'}}", target)),
                                       "d.yaml", {"a", {}});
    REQUIRE(made.ok());
    CHECK(std::any_of(made->notes.begin(), made->notes.end(), [&](const std::string& note) {
      return note.find(target) != std::string::npos;
    }));
  }
}

TEST_CASE("openapi: refusals name what was found") {
  CHECK(connector_from_openapi("openapi: '2.9'", "d", {"a", {}}).error().page() == 1150);
  CHECK(connector_from_openapi("openapi: '3.1.0'", "d", {"a", {}}).error().page() == 1152);
  auto none = connector_from_openapi(document("3.1.0", "{}"), "d", {"a", {"lok"}});
  REQUIRE(!none.ok());
  CHECK(none.error().page() == 1151);
  CHECK(none.error().message().find("did you mean 'look'?") != std::string::npos);
}

}  // namespace
}  // namespace aios::bundle

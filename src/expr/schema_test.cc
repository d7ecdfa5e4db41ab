// SPDX-License-Identifier: Apache-2.0
#include "expr/schema.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace {

using aios::Json;
using aios::expr::Schema;
using aios::expr::SchemaOptions;

Json json(std::string_view text) {
  auto value = aios::parse_json(text);
  REQUIRE_MESSAGE(value.ok(), value.error().text());
  return *value;
}

std::filesystem::path conformance() {
  const char* named = std::getenv("AIOS_CONFORMANCE_DIR");
  return named != nullptr ? named : "../shared/conformance";
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// What the suite's schemas may refer to: remotes under their test host, the metaschemas under
/// their own ids.
SchemaOptions known_documents() {
  SchemaOptions options;
  auto remotes = conformance() / "json/schema-remotes";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(remotes)) {
    if (entry.path().extension() == ".json") {
      auto name = std::filesystem::relative(entry.path(), remotes).string();
      options.documents.emplace_back("http://localhost:1234/" + name, json(read(entry.path())));
    }
  }
  return options;
}

struct Count {
  int passed = 0;
  int failed = 0;
};

void run_group(const Json& group, const SchemaOptions& options, const std::string& file,
               Count& count) {
  auto schema = Schema::compile(group.at("schema"), options);
  for (const auto& test : group.at("tests").as_array()) {
    bool wanted = test.at("valid").as_bool();
    auto issues = schema.ok() ? schema->issues(test.at("data"))
                              : aios::Result<std::vector<aios::expr::SchemaIssue>>(schema.error());
    if (issues.ok() && issues->empty() == wanted) {
      ++count.passed;
      continue;
    }
    ++count.failed;
    MESSAGE("failed: " << file << ": " << aios::text_or(group, "description", "") << ": "
                       << aios::text_or(test, "description", "")
                       << (issues.ok() ? "" : issues.error().text()));
  }
}

}  // namespace

TEST_CASE("schema: a document that fits passes, one that does not is told where and why") {
  auto schema = Schema::compile(json(R"({"type": "object", "required": ["b"],
      "properties": {"a": {"type": "integer", "maximum": 10}}})"));
  REQUIRE(schema.ok());
  CHECK(schema->validate(json(R"({"a": 1, "b": 2})")).ok());
  auto refused = schema->validate(json(R"({"a": 11})"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 106);
  auto issues = schema->issues(json(R"({"a": 11})"));
  REQUIRE(issues.ok());
  REQUIRE(issues->size() == 2);
  CHECK((*issues)[1].instance_path == "/a");
  CHECK((*issues)[1].schema_path == "/properties/a/maximum");
  CHECK((*issues)[1].keyword == "maximum");
  auto referring = Schema::compile(
      json(R"({"anyOf": [{"$ref": "#/$defs/one"}], "$defs": {"one": {"required": ["b"]}}})"));
  REQUIRE(referring.ok());
  const auto through = referring->issues(json("{}"));
  REQUIRE(through.ok());
  CHECK(through->at(0).keyword == "anyOf");
  auto direct = Schema::compile(json(
      R"({"else": {"$ref": "#/$defs/one"}, "if": false, "$defs": {"one": {"required": ["b"]}}})"));
  REQUIRE(direct.ok());
  const auto led = direct->issues(json("{}"));
  REQUIRE(led.ok());
  CHECK(led->at(0).schema_path == "/$defs/one/required");
  CHECK(led->at(0).evaluation_path == "/else/$ref/required");
  CHECK(schema->issues(json(R"({"a": 11})"), 1)->size() == 1);
}

TEST_CASE("schema: what there is to choose from is named, all of it and the nearest") {
  auto schema = Schema::compile(json(R"({"properties": {"scheme":
      {"enum": ["standard", "github", "stripe", "slack", 1]}}})"));
  REQUIRE(schema.ok());
  const auto issues = schema->issues(json(R"({"scheme": "standart"})"));
  REQUIRE(issues.ok());
  CHECK(issues->at(0).message ==
        R"("standart" is not one of "standard", "github", "stripe", "slack", 1; did you mean )"
        "'standard'?");
  CHECK(schema->issues(json(R"({"scheme": 2})"))->at(0).message.ends_with(R"("slack", 1)"));
  Json many = json(R"({"enum": []})");
  for (int i = 0; i < 20; ++i) {
    many.get_object()["enum"].get_array().emplace_back(i);
  }
  const auto few = Schema::compile(many)->issues(json("99"));
  CHECK(few->at(0).message == "99 is not one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more");
  auto referring = Schema::compile(json(R"({"$ref": "#/$defs/a", "$defs": {"a": {"enum": [1]}}})"));
  CHECK(referring->issues(json("2"))->at(0).message == "2 is not one of 1");
}

TEST_CASE("schema: a schema that is no schema is refused") {
  auto wrong_type = Schema::compile(json(R"({"type": "nothing"})"));
  REQUIRE_FALSE(wrong_type.ok());
  CHECK(wrong_type.error().page() == 105);
  CHECK_FALSE(Schema::compile(json(R"({"pattern": "("})")).ok());
}

TEST_CASE("schema: references reach the documents handed over and nothing else") {
  auto text = json(R"({"$ref": "https://example.com/age"})");
  auto unknown = Schema::compile(text);
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().message().find("nothing is fetched") != std::string::npos);
  SchemaOptions options;
  options.documents.emplace_back("https://example.com/age", json(R"({"type": "integer"})"));
  auto known = Schema::compile(text, options);
  REQUIRE_MESSAGE(known.ok(), known.error().text());
  CHECK(known->validate(json("3")).ok());
  CHECK_FALSE(known->validate(json("\"three\"")).ok());
}

TEST_CASE("schema: format is an annotation unless it is to be checked") {
  auto text = json(R"({"format": "ipv4"})");
  CHECK(Schema::compile(text)->validate(json("\"x\"")).ok());
  SchemaOptions options;
  options.formats = SchemaOptions::Formats::check;
  CHECK_FALSE(Schema::compile(text, options)->validate(json("\"x\"")).ok());
}

TEST_CASE("schema: a pattern that backtracks without end is cut off") {
  auto schema = Schema::compile(json(R"({"pattern": "^(?=(a+)+$)(?:\\1)*b"})"));
  REQUIRE(schema.ok());
  auto text = json("\"" + std::string(40, 'a') + "c\"");
  CHECK_FALSE(schema->validate(text).ok());
}

TEST_CASE("schema: one that branches and refers to itself ends by its steps") {
  const std::string tree = R"({"$defs": {"t": {"anyOf": [{"type": "array", "items":
      {"$ref": "#/$defs/t"}BESIDE}, {"type": "array", "items": {"$ref": "#/$defs/t"}},
      {"type": "number"}]}}, "properties": {"a": {"$ref": "#/$defs/t"}}})";
  const std::string deep = R"({"a": )" + std::string(60, '[') + "LEAF" + std::string(60, ']') + "}";
  const auto with = [](std::string text, const std::string& word, const std::string& by) {
    return json(text.replace(text.find(word), word.size(), by));
  };
  for (const std::string beside : {"", R"(, "minItems": 2)"}) {  // while it looks; while it tells
    auto schema = Schema::compile(with(tree, "BESIDE", beside));
    REQUIRE(schema.ok());
    CHECK(schema->validate(with(deep, "LEAF", "1")).ok());
    const auto issues = schema->issues(with(deep, "LEAF", "\"x\""));
    REQUIRE(issues.ok());
    REQUIRE(issues->size() == 1);
    CHECK_MESSAGE(issues->at(0).message.find("too many steps") != std::string::npos,
                  issues->at(0).message);
  }
}

TEST_CASE("schema: of a value that breaks it everywhere the first place is told") {
  Json schema = json(R"({"items": {"oneOf": []}})");
  for (int i = 0; i < 300; ++i) {
    schema.get_object()["items"].get_object()["oneOf"].get_array().push_back(
        aios::JsonObject{{"const", i}});
  }
  Json document = aios::JsonArray();
  for (int i = 0; i < 20'000; ++i) {
    document.get_array().emplace_back(-1);
  }
  const auto issues = Schema::compile(schema)->issues(document, 20);
  REQUIRE(issues.ok());
  REQUIRE(issues->size() == 1);
  CHECK(issues->at(0).instance_path == "/0");
}

TEST_CASE("schema: a pattern that looks around takes texts of a bounded length") {
  auto schema = Schema::compile(json(R"({"pattern": "(?=(a+))\\1+b"})"));
  REQUIRE(schema.ok());
  CHECK(schema->validate(json("\"aab\"")).ok());
  const auto issues = schema->issues(json("\"" + std::string(100'000, 'a') + "\""));
  REQUIRE(issues.ok());
  REQUIRE(issues->size() == 1);
  CHECK(issues->at(0).keyword == "maxLength");
}

TEST_CASE("schema: references count and change nothing else") {
  const auto fits = [](std::string_view schema, std::string_view value) {
    return Schema::compile(json(schema))->validate(json(value)).ok();
  };
  const std::string_view closed = R"({"$ref": "#/$defs/a", "allOf": [{"required": ["b"]}],
      "properties": {"$ref": {"type": "string"}}, "unevaluatedProperties": false,
      "$defs": {"n": {"type": "number"},
                "a": {"properties": {"b": {}, "enum": {"$ref": "#/$defs/n"}}}}})";
  CHECK(fits(closed, R"({"b": 1, "enum": 2, "$ref": "x"})"));
  CHECK_FALSE(fits(closed, R"({"enum": 2})"));
  CHECK_FALSE(fits(closed, R"({"b": 1, "enum": "2"})"));
  CHECK_FALSE(fits(closed, R"({"b": 1, "c": 2})"));
  CHECK(fits(R"({"const": {"$ref": "#/x"}})", R"({"$ref": "#/x"})"));
  const std::string_view old = R"({"$schema": "http://json-schema.org/draft-07/schema#",
      "properties": {"a": {"$ref": "#/definitions/n", "minimum": 5}},
      "definitions": {"n": {"type": "number"}}})";
  CHECK(fits(old, R"({"a": 1})"));
  CHECK_FALSE(fits(old, R"({"a": "1"})"));
}

TEST_CASE("schema: threads share one schema") {
  auto schema = Schema::compile(json(R"({"type": "integer"})"));
  REQUIRE(schema.ok());
  int wrong[2] = {0, 0};
  auto work = [&schema](int* count) {
    for (int i = 0; i < 500; ++i) {
      *count += schema->validate(Json(i)).ok() && !schema->validate(Json("x")).ok() ? 0 : 1;
    }
  };
  std::thread other(work, &wrong[0]);
  work(&wrong[1]);
  other.join();
  CHECK(wrong[0] + wrong[1] == 0);
}

TEST_CASE("schema: the required cases of the official 2020-12 suite pass") {
  auto folder = conformance() / "json/schema";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("SKIPPED: json/schema is not there");
    return;
  }
  auto options = known_documents();
  Count count;
  std::filesystem::path tests = folder;
  for (const auto& entry : std::filesystem::directory_iterator(tests)) {
    if (entry.path().extension() == ".json") {
      auto groups = json(read(entry.path()));
      for (const auto& group : groups.as_array()) {
        run_group(group, options, entry.path().filename().string(), count);
      }
    }
  }
  MESSAGE("json schema suite: " << count.passed << " passed, " << count.failed << " failed");
  CHECK(count.failed == 0);
  CHECK(count.passed == 2225 - 926);
}

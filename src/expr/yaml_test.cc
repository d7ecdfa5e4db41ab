// SPDX-License-Identifier: Apache-2.0
#include "expr/yaml.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using aios::Code;
using aios::Json;
using aios::expr::parse_yaml;
using aios::expr::Position;
using aios::expr::YamlLimits;

Json value_of(std::string_view text) {
  auto document = parse_yaml(text, "t.yaml");
  REQUIRE_MESSAGE(document.ok(), document.error().text());
  return document->value;
}

aios::Error error_of(std::string_view text, const YamlLimits& limits = {}) {
  auto document = parse_yaml(text, "t.yaml", limits);
  REQUIRE_FALSE(document.ok());
  return document.error();
}

}  // namespace

TEST_CASE("yaml: on, off, yes and no are text, as keys and as values") {
  CHECK(value_of("on: {one: yes}\nno: off\n") ==
        boost::json::parse(R"({"on": {"one": "yes"}, "no": "off"})"));
}

TEST_CASE("yaml: plain scalars follow the core schema of YAML 1.2") {
  CHECK(value_of("[1, -2, +3, 0o17, 0x1F, 1.5, .5, 2., 1e3, -0.25, 18446744073709551615]") ==
        boost::json::parse("[1,-2,3,15,31,1.5,0.5,2.0,1000.0,-0.25,18446744073709551615]"));
  CHECK(value_of("[true, False, NULL, ~, ]") == boost::json::parse("[true,false,null,null]"));
  CHECK(value_of("['1', \"true\", 1_000, 0b1, 1e, 12:30, 2026-01-01, .e1, -]") ==
        boost::json::parse(R"(["1","true","1_000","0b1","1e","12:30","2026-01-01",".e1","-"])"));
  CHECK(value_of("a: !!str 1\nb: !!int '7'\n") == boost::json::parse(R"({"a":"1","b":7})"));
  CHECK(value_of("") == Json(nullptr));
}

TEST_CASE("yaml: each escape of a quoted text is the character it names, in UTF-8") {
  CHECK(
      value_of("\"\\N\\_\\L\\P\\x85\\xa0\\e\\u00e9\\U0001F600\"") ==
      Json("\xc2\x85\xc2\xa0\xe2\x80\xa8\xe2\x80\xa9\xc2\x85\xc2\xa0\x1b\xc3\xa9\xf0\x9f\x98\x80"));
  CHECK(value_of("{\"\\_\u00e0\\_\": 1}") == Json({{"\xc2\xa0\xc3\xa0\xc2\xa0", 1}}));
}

TEST_CASE("yaml: every value and key has its line and column") {
  auto document = parse_yaml("do:\n  - wait:\n      a/b: 1\n    x: [1, 22]\n", "t.yaml");
  REQUIRE(document.ok());
  const auto& positions = document->positions;
  CHECK(positions.of("") == Position{1, 1});
  CHECK(positions.of("/do/0/wait/a~1b") == Position{3, 12});
  CHECK(positions.of_key("/do/0/wait/a~1b") == Position{3, 7});
  CHECK(positions.of("/do/0/x/1") == Position{4, 12});
  CHECK(positions.of("/do/0/x/1/none/such") == Position{4, 12});
}

TEST_CASE("yaml: columns count code points, not bytes") {
  auto document = parse_yaml("{\"äö\": 1, b: 2}", "t.yaml");
  REQUIRE(document.ok());
  CHECK(document->positions.of_key("/b").column == 11);
}

TEST_CASE("yaml: a text with a NUL is refused at its place, and read in no other encoding") {
  using namespace std::string_view_literals;
  const auto error = error_of("a: 1\n\xc3\xa9: \0\n"sv);
  CHECK(error.line() == 2);
  CHECK(error.column() == 4);
  CHECK(error.message().find("NUL") != std::string::npos);
  const auto first = error_of("\0\0\0\0a: [x"sv);
  CHECK(first.line() == 1);
  CHECK(first.column() == 1);
}

TEST_CASE("yaml: a key given twice is refused where it stands the second time") {
  auto error = error_of("a: 1\nb: 2\na: 3\n");
  CHECK(error.text().starts_with("t.yaml:3:1: found the key 'a' a second time"));
  CHECK(error.page() == 100);
}

TEST_CASE("yaml: what JSON cannot hold is refused with its place") {
  CHECK(error_of("a: 1\n---\nb: 2\n").message() == "found a second document, wanted one");
  CHECK(error_of("x: .inf\n").column() == 4);
  CHECK(error_of("x: 1e999\n").column() == 4);
  CHECK(error_of("x: -" + std::string(400, '9') + "\n").column() == 4);
  CHECK(parse_yaml("x: '1e999'\n", "t.yaml").ok());
  CHECK(error_of("? [a]\n: 1\n").message() == "found a collection as a key, wanted text");
  CHECK(error_of("a: &a {b: 1}\nc:\n  <<: *a\n").line() == 3);
  CHECK(error_of("a: !secret x\n").column() == 4);
  CHECK(error_of("a: [1, 2\nb: 3\n").line() > 0);
  CHECK(error_of("a: \"\xFF\"\n").message() == "found bytes that are not UTF-8");
}

TEST_CASE("yaml: aliases are expanded, an alias inside its own anchor is refused") {
  CHECK(value_of("a: &x {b: [1]}\nc: *x\n") ==
        boost::json::parse(R"({"a":{"b":[1]},"c":{"b":[1]}})"));
  CHECK(error_of("a: &x [*x]\n").message() == "found an alias inside its own anchor");
}

TEST_CASE("yaml: a billion laughs stops at the bound on values") {
  std::string text = "l0: &l0 [a, a, a, a, a, a, a, a, a, a]\n";
  for (int i = 1; i < 12; ++i) {
    auto own = std::to_string(i);
    auto last = "*l" + std::to_string(i - 1);
    text += "l" + own + ": &l" + own + " [" + last;
    for (int k = 0; k < 9; ++k) {
      text += ", " + last;
    }
    text += "]\n";
  }
  auto error = error_of(text);
  CHECK(error.code() == Code::resource_exhausted);
  CHECK(error.page() == 101);
}

TEST_CASE("yaml: depth and size are bounded") {
  CHECK_FALSE(parse_yaml(std::string(100'000, '['), "t.yaml").ok());
  CHECK(error_of(std::string(450, '[') + std::string(450, ']')).code() == Code::resource_exhausted);
  CHECK(error_of(std::string(900, '[') + std::string(900, ']')).code() == Code::resource_exhausted);
  CHECK(error_of("[[[1]]]", {.depth_max = 2}).column() == 3);
  CHECK(value_of("[[1]]").is_array());
  CHECK(error_of("a: 1", {.bytes_max = 3}).code() == Code::resource_exhausted);
  // An alias brings its own depth along.
  CHECK(error_of("a: &x [[1]]\nb: [*x]\n", {.depth_max = 3}).line() == 2);
}

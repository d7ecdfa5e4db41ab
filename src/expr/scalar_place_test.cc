// SPDX-License-Identifier: Apache-2.0
#include "expr/scalar_place.h"

#include "expr/yaml.h"

#include <doctest/doctest.h>

#include <cctype>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::expr {
namespace {

/// The characters that stand at a place, up to the end of the source.
std::string_view source_at(std::string_view source, Position place) {
  for (std::uint32_t line = 1; line < place.line; ++line) {
    source.remove_prefix(source.find('\n') + 1);
  }
  for (std::uint32_t column = 1; column < place.column; ++column) {
    source.remove_prefix(1);
    while (!source.empty() && (static_cast<unsigned char>(source.front()) & 0xC0) == 0x80) {
      source.remove_prefix(1);
    }
  }
  return source;
}

TEST_CASE("scalar place: every letter of a scalar is found where it stands") {
  for (const char* yaml : {
           "a: ${ .b }",
           "a:   plain   with blanks # comment",
           "a: plain that\n  goes on\n\n\n  after empty lines\nz: 1",
           "- {a: [x, '${ .later }']}",
           "a: 'single ''quoted'' text\n  goes   \n  on'",
           "a: \"double \\\"quoted\\\" \\u00e9 \\x41 \\U0001F600 \\n text\\\n   goes \n  on\"",
           "a: |\n  first\n    deeper\n\n  last\nz: 1",
           "a: |2-\n    kept indent\n  and none",
           "a: >\n  folded\n  into one\n\n  and two\n\n    more indented\n    lines\n\n  end\n",
           "a: >-\n\n\n  leading lines\n  end",
           "a: |+\r\n  with\r\n  returns\r\n\r\nz: 1",
           "a: !!str tagged",
           "a: &anchor \"anchored\"",
           "a: &x\n  !!str 'both'",
           "日本: \"é ü ${ .x }\"",
           "a: |  # comment\n  x",
       }) {
    const std::string source(yaml);
    CAPTURE(source);
    auto document = parse_yaml(source, "f");
    REQUIRE(document.ok());
    std::vector<std::pair<std::string, std::string>> texts;
    for (const char* pointer : {"/a", "/0/a/1", "/日本"}) {
      const Json* value = at_pointer(document->value, pointer);
      if (value != nullptr) {
        texts.emplace_back(pointer, std::string(view(value->get_string())));
      }
    }
    REQUIRE(texts.size() == 1);
    const auto& [pointer, text] = texts.front();
    Position last;
    int letters = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      CAPTURE(i);
      auto place = document->inside(pointer, text, i);
      REQUIRE(place.has_value());
      CHECK(std::pair(place->line, place->column) >= std::pair(last.line, last.column));
      last = *place;
      const bool letter = i < text.size() && std::isalnum(static_cast<unsigned char>(text[i])) != 0;
      if (letter && text[i] != 'A') {  // 'A' is written as an escape
        ++letters;
        CHECK(source_at(source, *place).substr(0, 1) == text.substr(i, 1));
      }
    }
    CHECK(letters > 0);
  }
}

TEST_CASE("scalar place: an escape has one place, and lines and columns count characters") {
  const std::string source = "é: \"ü\\u00e9x\"";
  auto document = parse_yaml(source, "f");
  REQUIRE(document.ok());
  const std::string text = "üéx";
  CHECK(document->inside("/é", text, 0) == Position{1, 5});
  CHECK(document->inside("/é", text, 2) == Position{1, 6});
  CHECK(document->inside("/é", text, 4) == Position{1, 12});
}

TEST_CASE("scalar place: what an alias brought has none") {
  auto document = parse_yaml("a: &x ${ .b }\nc: *x\n", "f");
  REQUIRE(document.ok());
  CHECK(document->inside("/a", "${ .b }", 3) == Position{1, 10});
  CHECK(!document->inside("/c", "${ .b }", 3).has_value());
  CHECK(!document->inside("/none/at/all", "x", 1).has_value());
  CHECK(!place_in_scalar("", {1, 1}, "x", 0).has_value());
  CHECK(!place_in_scalar("a: b", {9, 1}, "b", 0).has_value());
  CHECK(!place_in_scalar("a: b", {}, "b", 0).has_value());
}

}  // namespace
}  // namespace aios::expr

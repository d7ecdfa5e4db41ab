// SPDX-License-Identifier: Apache-2.0
#include "core/json_text.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace aios {

TEST_CASE("json text: a text is escaped as the printers do it") {
  for (const std::string text : {"", "plain", "\"quoted\" \\ back", "\b\f\n\r\t", "\x01\x1f\x7f",
                                 "caf\xC3\xA9 \xF0\x9F\x98\x80", "end\\"}) {
    CAPTURE(text);
    std::string out;
    append_json_text(text, &out);
    CHECK(out == to_text(Json(text)));
    CHECK(parse_json(out).value() == Json(text));
  }
}

TEST_CASE("json text: what needs escaping is escaped wherever it stands, and nothing else is") {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool plain = byte >= 0x20 && c != '"' && c != '\\';
    for (std::size_t place = 0; place < 20; ++place) {
      std::string text(20, 'x');
      text[place] = c;
      std::string out;
      append_json_text(text, &out);
      const std::string escaped = out.substr(1 + place, out.size() - 21);
      CAPTURE(byte);
      CAPTURE(place);
      REQUIRE(out == '"' + std::string(place, 'x') + escaped + std::string(19 - place, 'x') + '"');
      REQUIRE((escaped == std::string(1, c)) == plain);
    }
  }
  std::string out;
  append_json_text("\"\"12345678\\\n\"123456789", &out);
  CHECK(out == R"("\"\"12345678\\\n\"123456789")");
}

TEST_CASE("json text: an object that is written in order is canonical") {
  std::string out;
  ObjectText object(&out);
  object.text("a", "first");
  CHECK(append_canonical(JsonObject{{"z", 1.5}, {"b", nullptr}}, object.member("nested")).ok());
  *object.member("v") += '2';
  object.end();
  CHECK(out == R"({"a":"first","nested":{"b":null,"z":1.5},"v":2})");
  CHECK(to_canonical_text(parse_json(out).value()).value() == out);
  std::string none;
  ObjectText(&none).end();
  CHECK(none == "{}");
}

TEST_CASE("json text: canonical text is appended, and what has none is refused") {
  std::string out = "before ";
  CHECK(append_canonical(Json(JsonObject{{"n", std::uint64_t{7}}}), &out).ok());
  CHECK(out == R"(before {"n":7})");
  CHECK(append_canonical(JsonObject{{"n", std::uint64_t{1} << 60}}, &out).error().page() == 3);
  CHECK(append_canonical(Json(JsonArray{std::int64_t{1} << 60}), &out).error().page() == 3);
}

TEST_CASE("json text: members are in order of their names, however many there are") {
  for (const int count : {0, 1, 15, 16, 17, 100}) {
    CAPTURE(count);
    JsonObject object;
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
      names.push_back(std::to_string(i * 7919 % 1000));
      object[names.back()] = i;
    }
    std::sort(names.begin(), names.end());
    std::string out;
    REQUIRE(append_canonical(object, &out).ok());
    std::string::size_type at = 0;
    for (const std::string& name : names) {
      const auto found = out.find('"' + name + "\":", at);
      REQUIRE(found != std::string::npos);
      at = found;
    }
  }
}

TEST_CASE("json text: names are ordered by their code units in UTF-16") {
  CHECK(comes_before("", "a"));
  CHECK(comes_before("a", "ab"));
  CHECK_FALSE(comes_before("a", "a"));
  CHECK_FALSE(comes_before("b", "a"));
  const std::string beyond = "\xF0\x9F\x98\x80";  // U+1F600, in UTF-16 from D83D on
  const std::string high = "\xEF\xAC\xB3";        // U+FB33
  CHECK(beyond > high);
  CHECK(comes_before(beyond, high));
  CHECK_FALSE(comes_before(high, beyond));
}

}  // namespace aios

// SPDX-License-Identifier: Apache-2.0
#include "app/terminal.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::app {
namespace {

TEST_CASE("terminal: what a terminal would obey is replaced, all else stays") {
  CHECK(shown_text("\x1b[2J\x1b]0;title\x07") == "?[2J?]0;title?");
  CHECK(shown_text("a\x7f\rb") == "a??b");
  CHECK(shown_text("\xc2\x9b"
                   "31m") == "?31m");  // CSI in one character
  CHECK(shown_text("safe\xe2\x80\xae"
                   "elif.exe") == "safe?elif.exe");  // right-to-left override
  CHECK(shown_text("\xe2\x81\xa6x\xe2\x81\xa9") == "?x?");
  for (const char* plain :
       {"two\nlines\tand a tab", "Zoë, 日本語, שלום", "\xc2\xa0\xc3\x9b\xe2\x80\xa6"}) {
    CHECK(shown_text(plain) == plain);
  }
}

TEST_CASE("terminal: every text and name in a value is shown safely") {
  const Json value = parse_json(R"({"a\u001b": ["x\u009b", {"b": "\u0007"}], "n": 3})").value();
  CHECK(to_text(shown(value)) == R"({"a?":["x?",{"b":"?"}],"n":3})");
}

TEST_CASE("terminal: JSON keeps its value") {
  const Json value =
      parse_json(R"({"a": "\u001b\u009b\u007f\u202e\u2066 é\n", "b\u0085": [true]})").value();
  for (const std::string& text : {to_text(value), to_pretty_text(value)}) {
    const std::string safe = shown_json(text);
    CHECK(parse_json(safe).value() == value);
    CHECK(shown_text(safe) == safe);
  }
}

}  // namespace
}  // namespace aios::app

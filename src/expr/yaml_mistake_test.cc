// SPDX-License-Identifier: Apache-2.0
#include "expr/yaml.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::expr {
namespace {

struct Mistake {
  const char* text;
  const char* told;
};

TEST_CASE("yaml: a quote that is never closed is refused, whatever the text ends with") {
  for (const char* text : {"a: \"x\nb: 1\n", "a: 'it''s\nb: 1\n", "a: \"x\\\"\n", "a: 'x\n\n"}) {
    CAPTURE(std::string(text));
    auto document = parse_yaml(text, "t.yaml");
    REQUIRE_FALSE(document.ok());
    CHECK(document.error().text().find("t.yaml:1:4: the quote that opens here is not closed") !=
          std::string::npos);
  }
  CHECK_FALSE(parse_yaml("a: \"x", "t.yaml").ok());
  for (const char* text :
       {"a: \"x\\\\\"\n", "a: 'it''s'\n", "a: ''\n", "b: \"\"\n", "a: |\n  'x\n", "'a': 1\n",
        "a: [\"x\", 'y'] # it's\n", "a: it's\n", "a: \"x\n  y\"\n"}) {
    CAPTURE(std::string(text));
    CHECK(parse_yaml(text, "t.yaml").ok());
  }
}

TEST_CASE("yaml: a mistake is told as what a person did, where it was done") {
  for (const Mistake& item : {
           Mistake{"a: 1\nb:\n\tc: 2\n",
                   "t.yaml:3:1: found a tab in the indentation, wanted "
                   "spaces: YAML allows no tab there"},
           Mistake{"a:\n  b: 1\n\tc: 2\n", "t.yaml:3:1: found a tab"},
           Mistake{"a:\n  b:\n  \tc: 2\n    d: 3\n", "t.yaml:3:3: found a tab"},
           Mistake{"[\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9, @]", "t.yaml:1:8: found '@', with which no"},
           Mistake{"a: 1\n\tb: 2\n", "t.yaml:2:1: found a tab"},
           Mistake{"a:\n\t- b\n", "t.yaml:2:1: found a tab"},
           Mistake{"a:\n  b: text\n    c: 2\n",
                   "t.yaml:3:5: found 4 spaces of indentation, below line 2 ('b: text'), which has "
                   "its value already; wanted 2"},
           Mistake{"a: 1\n b: 2\n", "t.yaml:2:2: found 1 space of indentation, below line 1"},
           Mistake{"a:\n    b:\n        c: 1\n      d: 2\n",
                   "t.yaml:4:7: found 6 spaces of indentation, which no line has that this one "
                   "could go on with; wanted 0 or 4 or 8"},
           Mistake{"a:\n  b:\n    - c\n   - d\n", "t.yaml:4:4: found 3 spaces"},
           Mistake{"a:\n- b\nc\n- d\n",
                   "t.yaml:4:1: this line does not go on with what stands "
                   "above"},
           Mistake{"a: b: c\n", "t.yaml:1:5: found a second ': ' in one line, wanted quotes"},
           Mistake{"a: 1\nversion\nb: 2\n",
                   "t.yaml:2:1: found 'version' without ': ', wanted 'name: value'"},
           Mistake{"a:x\nb: 2\n", "t.yaml:1:1: found 'a:x' without ': '"},
           Mistake{"a: [x\nb: 1\n", "the '[' above is not closed before this; wanted ']'"},
           Mistake{"a: {x: 1\nb: 1\n", "the '{' above is not closed before this; wanted '}'"},
           Mistake{"a: @x\n",
                   "t.yaml:1:4: found '@', with which no plain text begins; wanted "
                   "quotes"},
       }) {
    CAPTURE(std::string(item.text));
    auto document = parse_yaml(item.text, "t.yaml");
    REQUIRE_FALSE(document.ok());
    CAPTURE(document.error().text());
    CHECK(document.error().text().find(item.told) != std::string::npos);
    CHECK(document.error().page() == 100);
  }
}

}  // namespace
}  // namespace aios::expr

// SPDX-License-Identifier: Apache-2.0
#include "govern/holder.h"

#include <doctest/doctest.h>

namespace aios::govern {

TEST_CASE("holder: one name is one person however it is written, and another name another") {
  CHECK(same_holder("Anna", " anna "));
  CHECK(same_holder("J\u00fcrgen", "J\u00dcRGEN"));
  CHECK(same_holder("Ann B", "Ann  B"));
  CHECK(same_holder("Ann C", "Ann\u00a0C"));
  CHECK(same_holder("Zo\u00e9", "Zoe\u0301"));
  CHECK(same_holder("Ann D", "Ann D\u200b"));
  CHECK(same_holder("Stra\u00dfe", "STRASSE"));
  CHECK(same_holder("\uff21nn", "ann"));
  CHECK_FALSE(same_holder("Ann", "Anna"));
  CHECK_FALSE(same_holder("Ann B", "AnnB"));
  CHECK_FALSE(same_holder("", ""));
  CHECK_FALSE(same_holder(" ", "\u200b"));
  CHECK(same_holder("a\xff", "A\xff"));
}

TEST_CASE("holder: a name that is not what it looks like is none") {
  CHECK(is_readable_name("J\u00fcrgen O'Brien-\u738b 2"));
  for (const char* name : {"a\nb", "a\tb", "\u202egnp", "Ann\u200bE", "Ann\u2028E", "a\xff"}) {
    CAPTURE(name);
    CHECK_FALSE(is_readable_name(name));
  }
}

}  // namespace aios::govern

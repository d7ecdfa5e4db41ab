// SPDX-License-Identifier: Apache-2.0
#include "store/label.h"

#include "core/text.h"

#include <doctest/doctest.h>

namespace aios::store {

TEST_CASE("label: a text that fits is kept whole, a longer one is cut between two characters") {
  CHECK(label_of("").empty());
  const std::string fits(label_bytes_max, 'x');
  CHECK(label_of(fits) == fits);
  CHECK(label_of(fits + "y") == fits);
  for (const std::string character : {"ü", "€", "😀"}) {
    for (std::size_t before = 0; before < 4; ++before) {
      std::string text(label_bytes_max - before, 'x');
      for (int i = 0; i < 4; ++i) {
        text += character;
      }
      const auto label = label_of(text);
      CAPTURE(label);
      CHECK(is_utf8(label));
      CHECK(text.starts_with(label));
      CHECK(label.size() <= label_bytes_max);
      CHECK(label.size() + character.size() > label_bytes_max);
    }
  }
}

}  // namespace aios::store

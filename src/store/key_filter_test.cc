// SPDX-License-Identifier: Apache-2.0
#include "store/detail/key_filter.h"

#include "core/crypto.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

using namespace aios;
using namespace aios::store::detail;

namespace {

Fingerprint key(std::string_view kind, int number) {
  const Digest digest = sha256(std::string(kind) + std::to_string(number));
  Fingerprint out{};
  std::memcpy(out.data(), digest.data(), out.size());
  return out;
}

}  // namespace

TEST_CASE("key filter: until all that is there was added it says perhaps of everything") {
  KeyFilter filter;
  CHECK(filter.perhaps(key("a", 1)));
  filter.complete();
  CHECK_FALSE(filter.perhaps(key("a", 1)));
  filter.add(key("a", 1));
  CHECK(filter.perhaps(key("a", 1)));
}

TEST_CASE("key filter: of what was added it never says no, of little else perhaps") {
  KeyFilter filter;
  filter.complete();
  constexpr int count = 200'000;  // three layers
  for (int i = 0; i < count; ++i) {
    filter.add(key("there", i));
  }
  int lost = 0;
  int mistaken = 0;
  for (int i = 0; i < count; ++i) {
    lost += filter.perhaps(key("there", i)) ? 0 : 1;
    mistaken += filter.perhaps(key("not there", i)) ? 1 : 0;
  }
  CHECK(lost == 0);
  CHECK(mistaken < count / 30);
}

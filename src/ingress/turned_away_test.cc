// SPDX-License-Identifier: Apache-2.0
#include "ingress/turned_away.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::ingress {

TEST_CASE("turned away: counted by source and reason, and old ones are not told of") {
  TurnedAway away;
  const Time noon{1'800'000'000'000'000'000};
  away.add(default_tenant(), "shop", "signature", noon - std::chrono::hours(30));
  away.add(default_tenant(), "bank", "late", noon - std::chrono::hours(30));
  away.add(default_tenant(), "shop", "signature", noon);
  const auto rows = away.after(noon - std::chrono::hours(24));
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].source == "shop");
  CHECK(rows[0].why == "signature");
  CHECK(rows[0].count == 2);
  CHECK(rows[0].last.ns == noon.ns);
}

TEST_CASE("turned away: beyond the bound the others share a count for each reason") {
  TurnedAway away;
  const Time noon{1'800'000'000'000'000'000};
  for (std::size_t i = 0; i < TurnedAway::kept_max + 50; ++i) {
    away.add(default_tenant(), fmt::format("s{}", i), "policy", noon);
  }
  const auto rows = away.after(noon);
  CHECK(rows.size() == TurnedAway::kept_max + 1);
  CHECK(rows.front().source.empty());
  CHECK(rows.front().count == 50);
}

}  // namespace aios::ingress

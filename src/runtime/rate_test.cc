// SPDX-License-Identifier: Apache-2.0
#include "runtime/rate.h"

#include <doctest/doctest.h>

using aios::Duration;
using aios::Instant;
using aios::runtime::Rate;
using std::chrono::seconds;

TEST_CASE("rate: a sixth of a minute's may come at once, the others come back evenly") {
  Rate rate(60);
  Instant now{1'000'000'000};
  for (int i = 0; i < 10; ++i) {
    CHECK(rate.take(now) == Duration(0));
  }
  const Duration pause = rate.take(now);
  CHECK(pause > Duration(0));
  CHECK(pause <= seconds(1) + Duration(1));
  CHECK(rate.take(now + pause) == Duration(0));
  CHECK(rate.take(now + pause) > Duration(0));
  now = now + seconds(600);  // no more come together than at the start
  int taken = 0;
  while (taken < 100 && rate.take(now) == Duration(0)) {
    ++taken;
  }
  CHECK(taken == 10);
}

TEST_CASE("rate: one a minute is one, and the next comes a minute later") {
  Rate rate(1);
  const Instant now{1};
  CHECK(rate.take(now) == Duration(0));
  CHECK(rate.take(now + seconds(59)) > Duration(0));
  CHECK(rate.take(now + seconds(61)) == Duration(0));
}

// SPDX-License-Identifier: Apache-2.0
#include "net/detail/body_budget.h"

#include <doctest/doctest.h>

namespace aios::net::detail {
namespace {

TEST_CASE("body budget: one key has half, one address three quarters, all together the whole") {
  BodyBudget budget(1000);
  BodyShare one(budget);
  one.begin({"a", "a 1"});
  CHECK_FALSE(one.grow_to(501));
  CHECK(one.grow_to(300));
  CHECK(one.grow_to(500));
  BodyShare again(budget);
  again.begin({"a", "a 1"});
  CHECK_FALSE(again.grow_to(1));
  BodyShare two(budget);
  two.begin({"a", "a 2"});
  CHECK_FALSE(two.grow_to(251));
  CHECK(two.grow_to(250));
  BodyShare three(budget);
  three.begin({"b", "b 1"});
  CHECK_FALSE(three.grow_to(251));
  CHECK(three.grow_to(250));
  BodyShare four(budget);
  four.begin({"c", "c 1"});
  CHECK_FALSE(four.grow_to(1));
}

TEST_CASE("body budget: what a body had is there again at its end") {
  BodyBudget budget(1000);
  BodyShare other(budget);
  other.begin({"b", "b 1"});
  for (int i = 0; i < 3; ++i) {
    BodyShare share(budget);
    share.begin({"a", "a 1"});
    CHECK(share.grow_to(500));
    share.begin({"a", "a 2"});  // the next body of the connection
    CHECK(share.grow_to(500));
    CHECK(other.grow_to(500));
    share.release();
    other.release();
    CHECK(share.grow_to(500));
  }
}

}  // namespace
}  // namespace aios::net::detail

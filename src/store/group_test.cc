// SPDX-License-Identifier: Apache-2.0
#include "store/detail/group.h"

#include <doctest/doctest.h>

using aios::Duration;
using aios::store::detail::Group;
using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST_CASE("group: nobody waits for a lone caller, nor at the start") {
  Group group;
  CHECK(group.callers() == 0);
  group.written(1, 0);
  CHECK(group.callers() == 1);
}

TEST_CASE("group: those who came while a batch was written are callers beside those of the batch") {
  Group group;
  group.written(5, 4);
  CHECK(group.callers() == 9);
  group.written(9, 0);
  CHECK(group.callers() == 9);
}

TEST_CASE("group: callers that stay away are soon no longer waited for") {
  Group group;
  group.written(40, 24);
  group.written(3, 0);
  CHECK(group.callers() == 3);
  group.written(1, 0);
  CHECK(group.callers() == 1);
}

TEST_CASE("group: the window grows with the batch that comes back, up to its bound") {
  Group group;
  group.written(1, 30);  // a burst after a pause: thirty are not held up for one
  CHECK(group.window(milliseconds(2)) <= microseconds(100));
  const Duration one = group.window(milliseconds(2));
  group.written(10, 0);
  CHECK(group.window(milliseconds(2)) == 10 * one);
  group.written(500, 0);
  CHECK(group.window(milliseconds(2)) == milliseconds(2));
}

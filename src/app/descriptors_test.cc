// SPDX-License-Identifier: Apache-2.0
#include "app/descriptors.h"

#include <doctest/doctest.h>

#include <sys/resource.h>

namespace aios::app {
namespace {

TEST_CASE("descriptors: connections leave a reserve for files, also with those turned away") {
  for (const std::uint64_t limit : {64U, 256U, 1024U, 4096U, 20'000U}) {
    CAPTURE(limit);
    const std::uint64_t connections = connections_for(limit);
    CHECK(connections > limit / 3);
    CHECK(connections * 9 / 8 + limit / 10 < limit);
  }
  CHECK(connections_for(1'000'000) == 10'000);
  CHECK(connections_for(0) == 1);
}

TEST_CASE("descriptors: the soft limit is raised to the hard one") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit low{.rlim_cur = 64, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  const std::uint64_t raised = raise_descriptor_limit();
  rlimit now{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &now) == 0);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(raised == before.rlim_max);
  CHECK(now.rlim_cur == before.rlim_max);
}

}  // namespace
}  // namespace aios::app

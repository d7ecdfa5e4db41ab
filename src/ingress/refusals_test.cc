// SPDX-License-Identifier: Apache-2.0
#include "ingress/refusals.h"

#include <doctest/doctest.h>

#include <chrono>

namespace aios::ingress {
namespace {

TEST_CASE("refusals: ten leaves a minute for a source, and the next one stands for the others") {
  Refusals refusals;
  Instant now;
  std::uint64_t leaves = 0;
  std::uint64_t told = 0;
  for (int i = 0; i < 500; ++i) {
    const auto count = refusals.add(default_tenant(), "/flood", now).count;
    leaves += count > 0 ? 1 : 0;
    told += count;
  }
  CHECK(leaves == Refusals::leaves_per_minute);
  CHECK(told == Refusals::leaves_per_minute);
  CHECK(refusals.add(default_tenant(), "/other", now).count == 1);
  CHECK(refusals.add(TenantId::parse("acme").value(), "/flood", now).count == 1);
  now = now + std::chrono::minutes(1);
  CHECK(refusals.add(default_tenant(), "/flood", now).count ==
        500 - Refusals::leaves_per_minute + 1);
}

TEST_CASE("refusals: what a leaf that failed stood for goes into the next one") {
  Refusals refusals;
  const Instant now;
  CHECK(refusals.add(default_tenant(), "/a", now).count == 1);
  refusals.put_back(default_tenant(), "/a", 1);
  CHECK(refusals.add(default_tenant(), "/a", now).count == 2);
}

TEST_CASE("refusals: names of sources that never end share one count, and none is lost") {
  Refusals refusals;
  const Instant now;
  std::uint64_t told = 0;
  std::uint64_t leaves = 0;
  const std::uint64_t sources = Refusals::sources_max + 5'000;
  for (std::uint64_t i = 0; i < sources; ++i) {
    const auto answer = refusals.add(default_tenant(), std::to_string(i), now);
    CHECK(answer.shared == (i >= Refusals::sources_max));
    told += answer.count;
    leaves += answer.count > 0 ? 1 : 0;
  }
  CHECK(leaves == Refusals::sources_max + Refusals::leaves_per_minute);
  const Instant later = now + std::chrono::minutes(1);
  // Those that told all make room; the shared one tells the rest under its own name.
  CHECK(refusals.add(default_tenant(), "new", later).shared == false);
  CHECK(told + refusals.add(default_tenant(), "", later).count == sources + 1);
}

}  // namespace
}  // namespace aios::ingress

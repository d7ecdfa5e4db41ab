// SPDX-License-Identifier: Apache-2.0
#include "app/stop_bound.h"

#include <doctest/doctest.h>

#include <chrono>
#include <future>

namespace aios::app {
namespace {

TEST_CASE("stop bound: work that does not end in time is told of") {
  std::promise<void> late;
  const StopBound bound(std::chrono::milliseconds(1), [&late] { late.set_value(); });
  late.get_future().wait();  // as long as it takes: without the call this hangs
}

TEST_CASE("stop bound: work that ends is not, and nothing waits for the span") {
  bool called = false;
  {
    const StopBound bound(std::chrono::hours(24), [&called] { called = true; });
  }
  CHECK_FALSE(called);
}

}  // namespace
}  // namespace aios::app

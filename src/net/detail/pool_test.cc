// SPDX-License-Identifier: Apache-2.0
#include "net/detail/pool.h"

#include "runtime/sim.h"
#include "runtime/task_group.h"

#include <doctest/doctest.h>

#include <memory>

namespace aios::net::detail {
namespace {

using std::chrono::seconds;

struct Ended {
  std::size_t late = 0, refused = 0, entered = 0;
};

Task<void> ask(std::shared_ptr<Pool> pool, Duration patience, Ended* ended) {
  Context ctx;
  ctx.deadline = runtime::Executor::current()->clock().instant() + patience;
  auto place = co_await pool->enter(ctx, "http://a:1");
  if (place.ok()) {
    ++ended->entered;
    pool->leave(std::move(*place), false);
    co_return;
  }
  const bool full = place.error().code() == Code::resource_exhausted;
  CHECK(place.error().page() == (full ? 315 : 0));
  ++(full ? ended->refused : ended->late);
}

TEST_CASE("pool: calls that gave up at a peer that hangs are not counted as waiting for ever") {
  runtime::SimExecutor sim;
  runtime::TaskGroup group(sim);
  const auto pool = std::make_shared<Pool>(1, seconds(30));
  auto hangs = sim.run(pool->enter(Context(), "http://a:1"));
  REQUIRE(hangs.ok());
  Ended ended;
  for (std::size_t i = 0; i <= Pool::waiting_max; ++i) {
    group.spawn(ask(pool, seconds(1), &ended));
  }
  sim.run(group.join());
  CHECK(ended.late == Pool::waiting_max);
  CHECK(ended.refused == 1);
  group.spawn(ask(pool, seconds(9), &ended));
  sim.advance(seconds(2));
  CHECK(ended.refused == 1);  // there is room to wait again
  pool->leave(std::move(*hangs), false);
  sim.run(group.join());
  CHECK(ended.entered == 1);
}

}  // namespace
}  // namespace aios::net::detail

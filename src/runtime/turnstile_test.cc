// SPDX-License-Identifier: Apache-2.0
#include "runtime/turnstile.h"

#include "runtime/one_shot.h"
#include "runtime/shards.h"
#include "runtime/sim.h"
#include "runtime/task_group.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace aios::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Guest {
  Turnstile turnstile;
  Duration patience = std::chrono::hours(1);
  Duration stay = seconds(1);
};

struct Seen {
  std::string log;  ///< a letter for who entered, '-' for who gave up, '!' for who was refused
  std::uint32_t inside = 0, inside_max = 0;
};

Task<void> visit(Guest guest, char letter, Seen* seen) {
  Context ctx;
  ctx.deadline = Executor::current()->clock().instant() + guest.patience;
  auto pass = co_await guest.turnstile.enter(ctx);
  if (!pass.ok()) {
    seen->log += pass.error().code() == Code::resource_exhausted ? '!' : '-';
    co_return;
  }
  seen->log += letter;
  seen->inside_max = std::max(seen->inside_max, ++seen->inside);
  auto rested = co_await sleep_for(Context(), guest.stay);
  --seen->inside;
  CHECK(rested.ok());
}

TEST_CASE("turnstile: all enter in the order in which they came, never more at once than places") {
  SimExecutor sim;
  TaskGroup group(sim);
  Seen seen;
  const Turnstile turnstile({.places = 2, .waiting_max = 100});
  for (const char letter : std::string("abcdefg")) {
    group.spawn(visit({turnstile}, letter, &seen));
  }
  sim.run(group.join());
  CHECK(seen.log == "abcdefg");
  CHECK(seen.inside_max == 2);
  CHECK(turnstile.idle());
}

TEST_CASE("turnstile: beyond the bound of waiters a caller is refused at once and may try again") {
  SimExecutor sim;
  TaskGroup group(sim);
  Seen seen;
  const Turnstile turnstile({.places = 1, .waiting_max = 1});
  for (const char letter : std::string("abc")) {
    group.spawn(visit({turnstile}, letter, &seen));
  }
  sim.advance(milliseconds(1));
  CHECK(seen.log == "a!");
  const auto refused = sim.run(turnstile.enter(Context()));
  REQUIRE(!refused.ok());
  CHECK(refused.error().retry() == Retry::same_call);
  sim.run(group.join());
  CHECK(seen.log == "a!b");
}

TEST_CASE("turnstile: who gives up leaves the queue, counts no longer and is not served") {
  SimExecutor sim;
  TaskGroup group(sim);
  Seen seen;
  const Turnstile turnstile({.places = 1, .waiting_max = 2});
  group.spawn(visit({.turnstile = turnstile, .stay = std::chrono::hours(2)}, 'a', &seen));
  group.spawn(visit({.turnstile = turnstile, .patience = milliseconds(10)}, 'b', &seen));
  group.spawn(visit({.turnstile = turnstile, .patience = milliseconds(10)}, 'c', &seen));
  sim.advance(milliseconds(1));
  CHECK(turnstile.waiting() == 2);
  sim.advance(milliseconds(20));
  CHECK(seen.log == "a--");
  CHECK(turnstile.waiting() == 0);
  group.spawn(visit({.turnstile = turnstile, .patience = std::chrono::hours(9)}, 'd', &seen));
  sim.run(group.join());
  CHECK(seen.log == "a--d");
  CHECK(turnstile.idle());
}

TEST_CASE("turnstile: a place is not lost to one whose wait ends in the same moment") {
  SimExecutor sim;
  TaskGroup group(sim);
  Seen seen;
  const Turnstile turnstile({.places = 1, .waiting_max = 9});
  auto held = sim.run(turnstile.enter(Context()));
  REQUIRE(held.ok());
  group.spawn(visit({.turnstile = turnstile, .patience = seconds(1)}, 'b', &seen));
  group.spawn(visit({.turnstile = turnstile}, 'c', &seen));
  sim.call_at(sim.clock().instant() + seconds(1), [&held] { held->give_back(); });
  sim.run(group.join());
  CHECK((seen.log == "-c" || seen.log == "bc" || seen.log == "c-"));
  CHECK(turnstile.taken() == 0);
}

TEST_CASE("turnstile: a pass is given back once, by whoever holds it, even after the turnstile") {
  SimExecutor sim;
  auto turnstile = std::make_unique<Turnstile>(Turnstile::Options{.places = 2, .waiting_max = 0});
  auto first = sim.run(turnstile->enter(Context()));
  auto second = sim.run(turnstile->enter(Context()));
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  CHECK(turnstile->taken() == 2);
  Turnstile::Pass moved = std::move(*first);
  CHECK(!*first);
  CHECK(turnstile->taken() == 2);
  moved.give_back();
  moved.give_back();
  CHECK(turnstile->taken() == 1);
  moved = std::move(*second);
  CHECK(turnstile->taken() == 1);
  turnstile.reset();
  CHECK(moved);
}

struct Crowd {
  Turnstile turnstile{{.places = 3, .waiting_max = 1'000}};
  std::atomic<int> inside{0}, inside_max{0}, visits{0}, gone{0};
};

Task<void> hurry(Crowd* crowd, bool patient) {
  Context ctx;
  ctx.deadline = patient ? Instant::never() : Executor::current()->clock().instant();
  auto pass = co_await crowd->turnstile.enter(ctx);
  if (!pass.ok()) {
    ++crowd->gone;
    co_return;
  }
  const int now = ++crowd->inside;
  int most = crowd->inside_max;
  while (most < now && !crowd->inside_max.compare_exchange_weak(most, now)) {}
  co_await yield();
  ++crowd->visits;
  --crowd->inside;
}

Task<void> rush(Executor* executor, Crowd* crowd) {
  TaskGroup group(*executor);
  for (int i = 0; i < 300; ++i) {
    group.spawn(hurry(crowd, i % 3 != 0));
  }
  co_await group.join();
}

TEST_CASE("turnstile: a crowd on two threads loses no place, and never are more inside") {
  Shards shards(2);
  Crowd crowd;
  std::thread other([&] { shards.run(1, rush(&shards.at(1), &crowd)); });
  shards.run(0, rush(&shards.at(0), &crowd));
  other.join();
  CHECK(crowd.visits + crowd.gone == 600);
  CHECK(crowd.visits >= 400);
  CHECK(crowd.inside_max <= 3);
  CHECK(crowd.turnstile.idle());
}

}  // namespace
}  // namespace aios::runtime

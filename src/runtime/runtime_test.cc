// SPDX-License-Identifier: Apache-2.0
#include "runtime/backoff.h"
#include "runtime/one_shot.h"
#include "runtime/sim.h"
#include "runtime/task_group.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::runtime {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

Task<void> note_after(Duration pause, std::string name, std::string* log) {
  Context ctx;
  auto rested = co_await sleep_for(std::move(ctx), pause);
  *log += rested.ok() ? name : "!";
}

Task<int> doubled(int value) {
  co_await yield();
  co_return value * 2;
}

Task<int> sum(int count) {
  int total = 0;
  for (int i = 1; i <= count; ++i) {
    total += co_await doubled(i);
  }
  co_return total;
}

TEST_CASE("task: values come back through many awaits") {
  SimExecutor sim;
  CHECK(sim.run(sum(1000)) == 1001000);
}

TEST_CASE("sim: days pass at once and in order") {
  SimExecutor sim;
  std::string log;
  TaskGroup group(sim);
  group.spawn(note_after(hours(48), "c", &log));
  group.spawn(note_after(seconds(1), "a", &log));
  group.spawn(note_after(hours(24), "b", &log));
  CHECK(group.running() == 3);
  const Time start = sim.clock().now();
  sim.advance(hours(24));
  CHECK(log == "ab");
  CHECK(sim.clock().now() - start == hours(24));
  sim.run(group.join());
  CHECK(log == "abc");
  CHECK(group.running() == 0);
}

TEST_CASE("sim: one seed gives one sequence") {
  SimExecutor first(7);
  SimExecutor second(7);
  SimExecutor other(8);
  const auto value = first.random().next();
  CHECK(value == second.random().next());
  CHECK(value != other.random().next());
}

TEST_CASE("sim: a loop that never ends is stopped at the bound") {
  SimExecutor sim;
  std::function<void()> again = [&sim, &again] { sim.post(std::function<void()>(again)); };
  sim.post(std::function<void()>(again));
  CHECK(!sim.run_until_idle(100));
}

Task<void> spawn_two(TaskGroup* group, std::string* log) {
  group->spawn(note_after(seconds(2), "y", log));
  group->spawn(note_after(seconds(1), "x", log));
  co_return;
}

TEST_CASE("task group: join waits for those spawned meanwhile") {
  SimExecutor sim;
  std::string log;
  TaskGroup group(sim);
  group.spawn(spawn_two(&group, &log));
  sim.run(group.join());
  CHECK(log == "xy");
}

TEST_CASE("one shot: a deadline and a cancel end the wait, the first word counts") {
  SimExecutor sim;
  OneShot<int> never;
  Context ctx;
  ctx.deadline = sim.clock().instant() + milliseconds(50);
  const Instant start = sim.clock().instant();
  auto late = sim.run(never.wait(ctx));
  REQUIRE(!late.ok());
  CHECK(late.error().code() == Code::deadline_exceeded);
  CHECK(sim.clock().instant() - start == milliseconds(50));
  CHECK(!never.set(5));

  Context cancelled;
  cancelled.cancel = std::make_shared<CancelState>();
  sim.call_at(sim.clock().instant() + seconds(1), [state = cancelled.cancel] { state->cancel(); });
  auto stopped = sim.run(sleep_for(cancelled, hours(1)));
  REQUIRE(!stopped.ok());
  CHECK(stopped.error().code() == Code::cancelled);
  CHECK(sim.clock().instant() - start < seconds(2));
  CHECK(sim.run(sleep_for(cancelled, hours(1))).error().code() == Code::cancelled);
}

TEST_CASE("one shot: a value set before the wait is taken at once") {
  SimExecutor sim;
  OneShot<std::string> ready;
  CHECK(ready.set(std::string("x")));
  CHECK_FALSE(ready.set(std::string("y")));  // the first one wins
  CHECK(*sim.run(ready.wait(Context())) == "x");
}

TEST_CASE("backoff: pauses grow to the cap, end with the tries, and obey the peer") {
  SimExecutor sim;
  const Error down(Code::unavailable, "503", Retry::same_call);
  Backoff backoff({.retries_max = 4, .first = milliseconds(100), .cap = milliseconds(300)},
                  sim.random());
  for (const int ceiling_ms : {100, 200, 300, 300}) {
    const auto pause = backoff.next(down);
    REQUIRE(pause);
    CHECK(*pause >= Duration(0));
    CHECK(*pause <= milliseconds(ceiling_ms));
  }
  CHECK(!backoff.next(down));
  CHECK(backoff.retries() == 4);
  Backoff fresh(BackoffOptions(), sim.random());
  CHECK(!fresh.next(Error(Code::invalid_argument, "no")));
  const Error limited = Error(Code::rate_limited, "429", Retry::same_call).after(seconds(5));
  CHECK(*fresh.next(limited) >= seconds(5));
}

TEST_CASE("breaker: opens, lets one probe through, doubles, closes") {
  Breaker breaker({.failures_max = 2, .open_for = seconds(1), .open_for_max = seconds(3)});
  Instant now{1};
  breaker.failure(now);
  CHECK(!breaker.blocked(now));
  breaker.failure(now);
  CHECK(breaker.state() == Breaker::State::open);
  CHECK(*breaker.blocked(now) == seconds(1));
  now = now + seconds(1);
  CHECK(!breaker.blocked(now));
  CHECK(breaker.blocked(now));  // the probe is under way
  breaker.failure(now);
  CHECK(*breaker.blocked(now) == seconds(2));
  now = now + seconds(2);
  CHECK(!breaker.blocked(now));
  breaker.failure(now);
  CHECK(*breaker.blocked(now) == seconds(3));
  now = now + seconds(3);
  CHECK(!breaker.blocked(now));
  breaker.success();
  CHECK(breaker.state() == Breaker::State::closed);
  breaker.failure(now);
  CHECK(!breaker.blocked(now));
}

TEST_CASE("random: bounded values are within the bound and ids have ten bytes") {
  SimExecutor sim;
  for (int i = 0; i < 1000; ++i) {
    CHECK(sim.random().below(3) < 3);
    const double unit = sim.random().unit();
    CHECK((unit >= 0 && unit < 1));
  }
  CHECK(new_id("run", sim.clock(), sim.random()) != new_id("run", sim.clock(), sim.random()));
  CHECK(system_random().next() != system_random().next());
}

}  // namespace
}  // namespace aios::runtime

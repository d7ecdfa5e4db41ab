// SPDX-License-Identifier: Apache-2.0
// How long ago a request left, by clocks of which one is set.
#include "workflow/detail/live_run.h"

#include <doctest/doctest.h>

namespace aios::workflow {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

struct TwoClocks final : runtime::Clock {
  Time now() override { return wall; }
  Instant instant() override { return steady; }
  void pass(Duration span) {
    wall = wall + span;
    steady = steady + span;
  }
  Time wall{1'790'000'000'000'000'000};
  Instant steady{5'000'000'000};
};

}  // namespace

TEST_CASE("window: a wall clock that is set neither shortens nor lengthens it") {
  for (const Duration step : {Duration(hours(1)), Duration(-hours(1))}) {
    TwoClocks clock;
    LiveRun run;
    run.state.effect.emplace();
    CHECK(since_sent(run, clock) == Duration(0));
    note_sent(run, clock, Duration(0));
    clock.pass(seconds(5));
    clock.wall = clock.wall + step;
    CHECK(since_sent(run, clock) == Duration(seconds(5)));
    note_loaded(run, clock, clock.steady);  // read from the store by a process that just began
    CHECK(since_sent(run, clock) == Duration(0));
    clock.pass(seconds(7));
    CHECK(since_sent(run, clock) == Duration(seconds(7)));
  }
}

TEST_CASE("window: a run that is read again counts what its process has seen pass") {
  TwoClocks clock;
  const Instant begun = clock.steady;
  clock.pass(seconds(60));
  LiveRun run;
  run.state.effect.emplace();
  run.state.effect->sent_at = clock.wall;
  clock.pass(seconds(5));
  note_loaded(run, clock, begun);
  CHECK(since_sent(run, clock) == Duration(seconds(5)));
  clock.wall = clock.wall + -hours(1);  // a request that left in the future
  note_loaded(run, clock, begun);
  CHECK(since_sent(run, clock) == Duration(0));
}

TEST_CASE("window: it counts from the latest that a request can have left") {
  TwoClocks clock;
  LiveRun run;
  run.state.effect.emplace();
  note_sent(run, clock, Duration(0));
  clock.pass(seconds(10));
  note_sent(run, clock, seconds(2));  // an attempt of two seconds ended now
  CHECK(since_sent(run, clock) == Duration(seconds(2)));
  note_sent(run, clock, seconds(20));  // and one that says nothing new
  CHECK(since_sent(run, clock) == Duration(seconds(2)));
}

}  // namespace aios::workflow

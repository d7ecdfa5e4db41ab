// SPDX-License-Identifier: Apache-2.0
// What is believed of an effect, and when: slow systems, systems that are down, runs that are
// cancelled with an effect under way.
#include "observe/log.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace aios::workflow {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::Behaviour;
using test::has;
using test::World;

struct Asked {
  explicit Asked(std::string_view effect) {
    world.add_document(
        fmt::format("document: {{dsl: '1.0.3', namespace: test, name: ask, version: '1.0.0'}}\n"
                    "do:\n"
                    "  - ask: {{call: 'system:1.0.0@default', with: {{class: {}, value: 7}}}}\n"
                    "  - keep: {{set: {{value: '${{ .value }}'}}}}\n",
                    effect));
    world.start();
  }
  std::string go(std::vector<Behaviour> script) {
    world.system.script.assign(script.begin(), script.end());
    return world.run_workflow("ask", JsonObject());
  }
  int times() const { return world.system.done.empty() ? 0 : world.system.done.begin()->second; }
  bool cancel(const std::string& id) {
    return world.executor.run(world.engine->cancel(world.ctx(), id, "stop")).ok();
  }
  std::string told(const std::string& id) {
    auto text = world.executor.run(world.engine->explain(world.ctx(), id));
    REQUIRE(text.ok());
    return *text;
  }
  std::string history(const std::string& id) {
    auto rows = world.executor.run(world.engine->history(world.ctx(), id));
    REQUIRE(rows.ok());
    return to_text(*rows);
  }
  World world;
};

}  // namespace

TEST_CASE("settle: a peer that acts after the timeout is not asked to act again") {
  Asked asked("lookup");
  const auto id = asked.go({Behaviour::crawl});  // timeout 2 s, done after 4 s
  asked.world.executor.advance(seconds(3));
  CHECK(asked.world.system.lookups == 1);  // not there, and that proves nothing yet
  CHECK(has(asked.told(id), "may still come until"));
  const auto view = asked.world.finish(id);
  CHECK(view.status == "completed");
  CHECK(asked.times() == 1);
  CHECK(asked.world.system.requests == 1);
}

TEST_CASE("settle: what is not there after the window is sent again, also after a crash") {
  for (const bool crash : {false, true}) {
    CAPTURE(crash);
    Asked asked("lookup");
    const auto id = asked.go({Behaviour::drop});
    asked.world.executor.advance(seconds(20));
    if (crash) {
      asked.world.crash();
      asked.world.start();
      asked.world.executor.advance(seconds(20));  // the window begins anew
    }
    asked.world.executor.advance(seconds(11));
    CHECK(asked.world.system.requests == 1);
    CHECK(asked.world.system.lookups > 1);
    CHECK(asked.world.system.lookups < 16);
    asked.world.executor.advance(seconds(2));  // 2 s of the attempt and 30 s of the window
    CHECK(asked.world.system.requests == 2);
    CHECK(asked.world.finish(id).status == "completed");
    CHECK(asked.times() == 1);
  }
}

TEST_CASE("settle: the window begins when the request leaves, however long its fence took") {
  for (const bool crash : {false, true}) {
    CAPTURE(crash);
    Asked asked("lookup");
    asked.world.commit_takes = seconds(40);  // more than 2 s of the attempt and 30 s of the window
    const auto id = asked.go({Behaviour::crawl});
    asked.world.commit_takes = seconds(0);
    if (crash) {  // with the request on its way
      asked.world.executor.advance(milliseconds(2));
      asked.world.crash();
      asked.world.start();
    }
    CHECK(asked.world.finish(id).status == "completed");
    asked.world.executor.advance(seconds(10));
    CHECK(asked.world.system.lookups > 1);
    CHECK(asked.world.system.requests == 1);
    CHECK(asked.times() == 1);
  }
}

TEST_CASE("settle: an attempt that ends late counts from its end") {
  Asked asked("lookup");
  asked.world.system.latency = seconds(60);  // held up: it leaves a minute after it was begun
  const auto id = asked.go({Behaviour::crawl});
  asked.world.executor.advance(seconds(60));
  asked.world.system.latency = milliseconds(5);
  CHECK(asked.world.finish(id).status == "completed");
  CHECK(asked.world.system.requests == 1);
  CHECK(asked.times() == 1);
}

TEST_CASE("settle: a wall clock that is set makes nobody ask too early or wait too long") {
  for (const Duration step : {Duration(minutes(10)), Duration(-hours(1))}) {
    CAPTURE(step.count());
    std::vector<std::string> lines;
    observe::Log log([&](std::string_view line) { lines.emplace_back(line); });
    Asked asked("lookup");
    auto& world = asked.world;
    world.services.log = &log;
    world.on_set_clock = true;
    world.crash();
    world.start();
    const auto id = asked.go({Behaviour::drop});
    world.executor.advance(seconds(1));
    world.set_executor.ahead = step;
    world.executor.advance(seconds(29));
    CHECK(world.system.lookups > 1);
    CHECK(world.system.requests == 1);
    world.executor.advance(seconds(10));
    CHECK(world.system.requests == 2);
    CHECK(world.view(id).status == "completed");
    const auto told = std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
      return has(line, "the wall clock was set");
    });
    CHECK(told == 1);
  }
}

TEST_CASE("settle: what was certainly not sent uses up no try, for a day") {
  Asked asked("key");
  bool down = true;
  asked.world.system.chooser = [&down] { return down ? Behaviour::spare : Behaviour::answer; };
  const auto id = asked.go({});
  asked.world.executor.advance(minutes(10));
  CHECK(asked.world.system.requests > 10);  // more than its three retries
  CHECK(asked.world.view(id).status == "waiting");
  CHECK(has(asked.told(id), "no try is counted"));
  down = false;
  CHECK(asked.world.finish(id).status == "completed");
  Asked other("none");
  other.world.system.chooser = [] { return Behaviour::spare; };
  const auto view = other.world.finish(other.go({}), hours(25));
  CHECK(view.status == "faulted");
  CHECK(int_or(view.error, "status", 0) == 503);
}

TEST_CASE("settle: a peer that answers again wakes those who wait for it, and no others") {
  Asked asked("key");
  bool down = true;
  asked.world.system.chooser = [&down] { return down ? Behaviour::block : Behaviour::answer; };
  const auto id = asked.go({});
  asked.world.executor.advance(hours(2));  // its own pause is five minutes by now
  const auto next = asked.world.executor.clock().now();
  asked.world.executor.advance(seconds(1));
  down = false;
  asked.world.engine->peer_recovered(default_tenant(), "another");
  asked.world.executor.advance(milliseconds(100));
  CHECK(asked.world.view(id).status == "waiting");
  asked.world.engine->peer_recovered(default_tenant(), "system");
  asked.world.executor.advance(milliseconds(100));
  CHECK(asked.world.view(id).status == "completed");
  CHECK(asked.world.executor.clock().now() - next < Duration(seconds(2)));
}

TEST_CASE("settle: a cancelled run's attempt is waited for, and its outcome is told") {
  Asked asked("key");
  const auto id = asked.go({Behaviour::hang});
  asked.world.executor.advance(milliseconds(50));
  CHECK(asked.cancel(id));  // the attempt ends by its own time, and nobody knows what it did
  auto view = asked.world.view(id);
  CHECK(view.status == "waiting");
  CHECK(view.waiting_for.starts_with("incident inc_"));
  CHECK(has(asked.told(id), "it ends, for it was cancelled: stop"));
  CHECK(asked.cancel(id));  // once more says nothing new
  CHECK(asked.world.view(id).incident == view.incident);
  CHECK(asked.world.system.requests == 1);
  const auto resolved = asked.world.executor.run(asked.world.engine->resolve_incident(
      asked.world.ctx(), id,
      {.incident = view.incident, .word = "happened", .result = JsonObject{{"value", 9}}}));
  CHECK(resolved.ok());
  CHECK(asked.world.view(id).status == "cancelled");
  CHECK(has(asked.history(id), R"("resolution":"happened")"));
  CHECK(asked.world.system.requests == 1);
}

TEST_CASE("settle: a cancelled run's attempt that answers is known, and the run ends at once") {
  for (const auto behaviour : {Behaviour::answer, Behaviour::fail_before}) {
    Asked asked("none");
    asked.world.system.latency = milliseconds(800);
    const auto id = asked.go({behaviour});
    asked.world.executor.advance(milliseconds(350));
    CHECK(asked.cancel(id));
    CHECK(asked.world.view(id).status == "cancelled");
    const auto word =
        behaviour == Behaviour::answer ? R"("outcome":"done")" : R"("outcome":"failed")";
    CHECK(has(asked.history(id), word));
    const bool happened = behaviour == Behaviour::answer;
    CHECK(has(asked.told(id), "was under way and has happened") == happened);
    CHECK(asked.world.system.requests == 1);
  }
}

TEST_CASE("settle: a run that is cancelled while it asks whether its effect happened") {
  for (const bool after_crash : {false, true}) {
    CAPTURE(after_crash);
    Asked asked("lookup");
    asked.world.system.lookup_fails = true;
    const auto id = asked.go({after_crash ? Behaviour::hang : Behaviour::lose_reply});
    asked.world.executor.advance(milliseconds(after_crash ? 50 : 5'000));
    if (after_crash) {
      asked.world.crash();
      asked.world.start();
    }
    CHECK(asked.cancel(id));
    const auto view = asked.world.view(id);
    CHECK(view.waiting_for.starts_with("incident inc_"));
    for (const std::string word : {"retry"}) {  // it did not happen: then it is not sent again
      const auto resolved = asked.world.executor.run(asked.world.engine->resolve_incident(
          asked.world.ctx(), id, {.incident = view.incident, .word = word, .result = Json()}));
      CHECK(resolved.ok());
    }
    CHECK(asked.world.view(id).status == "cancelled");
    CHECK(asked.world.system.requests == 1);
  }
}

TEST_CASE("settle: a read is given up at once when its run is cancelled") {
  Asked asked("read");
  const auto id = asked.go({Behaviour::hang});
  asked.world.executor.advance(milliseconds(50));
  const auto before = asked.world.executor.clock().now();
  CHECK(asked.cancel(id));
  CHECK(asked.world.view(id).status == "cancelled");
  CHECK(asked.world.executor.clock().now() - before < Duration(milliseconds(100)));
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
// A backup is put back after the server it was made of went on: nothing is done twice unasked.
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::Behaviour;
using test::World;

/// A run that rests for a while, and then acts.
std::string resting(std::string_view effects) {
  std::string text =
      "document: {dsl: '1.0.3', namespace: test, name: rest, version: '1.0.0'}\n"
      "do:\n"
      "  - rest: {wait: PT10S}\n";
  int number = 0;
  while (!effects.empty()) {
    const auto end = std::min(effects.find(' '), effects.size());
    text +=
        fmt::format("  - act{}: {{call: 'system:1.0.0@default', with: {{class: {}, value: {}}}}}\n",
                    ++number, effects.substr(0, end), number);
    effects.remove_prefix(std::min(end + 1, effects.size()));
  }
  return text;
}

/// The store is as it was while the run rested; the outside system is as the lost server left it.
struct Restored {
  explicit Restored(std::string_view effects, bool went_on) {
    world.add_document(resting(effects));
    world.start();
    id = world.run_workflow("rest", JsonObject());
    world.executor.advance(seconds(1));
    const auto backup = world.executor.clock().now();
    if (went_on) {  // the same effect ids: they are made of the run's
      for (int number = 1; number <= 2; ++number) {
        world.system.apply(fmt::format("{}-{}", id, number), EffectClass::key,
                           JsonObject{{"value", number}});
      }
    }
    world.crash();
    world.services.restored_through = backup;
    world.executor.advance(minutes(30));
    world.start();
  }
  int times_max() const {
    int most = 0;
    for (const auto& [effect, times] : world.system.done) {
      most = std::max(most, times);
    }
    return most;
  }
  World world;
  std::string id;
};

}  // namespace

TEST_CASE("restored: what can be looked up is asked for first, and found or done once") {
  for (const bool went_on : {true, false}) {
    CAPTURE(went_on);
    Restored restored("lookup lookup", went_on);
    CHECK(restored.world.finish(restored.id).status == "completed");
    CHECK(restored.times_max() == 1);
    CHECK(restored.world.system.done.size() == 2);
    // Found twice; or not there, so nothing after it was done either.
    CHECK(restored.world.system.requests == (went_on ? 0 : 2));
    CHECK(restored.world.system.lookups >= (went_on ? 2 : 1));
  }
}

TEST_CASE("restored: an absent effect is believed after the window, counted from the restore") {
  Restored restored("lookup", false);
  restored.world.executor.advance(seconds(25));
  CHECK(restored.world.system.requests == 0);
  restored.world.executor.advance(seconds(10));
  CHECK(restored.world.system.requests == 1);
}

TEST_CASE("restored: a key goes again with its key, and what nobody can ask for goes to a person") {
  Restored restored("key none", true);
  auto view = restored.world.finish(restored.id, minutes(5));
  CHECK(view.waiting_for.starts_with("incident inc_"));
  CHECK(restored.world.system.requests == 1);  // the key, which the system knows already
  CHECK(restored.times_max() == 1);
  auto why = restored.world.executor.run(
      restored.world.engine->explain(restored.world.ctx(), restored.id));
  REQUIRE(why.ok());
  CHECK(why->find("after the backup was made") != std::string::npos);
  const auto done = restored.world.executor.run(restored.world.engine->resolve_incident(
      restored.world.ctx(), restored.id,
      {.incident = view.incident, .word = "happened", .result = JsonObject{{"value", 2}}}));
  CHECK(done.ok());
  CHECK(restored.world.finish(restored.id).status == "completed");
  CHECK(restored.times_max() == 1);
}

TEST_CASE("restored: a person's word that it did not happen ends the doubt") {
  Restored restored("none none", false);
  const auto view = restored.world.finish(restored.id, minutes(5));
  REQUIRE_FALSE(view.incident.empty());
  CHECK(restored.world.system.requests == 0);
  const auto done = restored.world.executor.run(restored.world.engine->resolve_incident(
      restored.world.ctx(), restored.id,
      {.incident = view.incident, .word = "retry", .result = Json()}));
  CHECK(done.ok());
  CHECK(restored.world.finish(restored.id).status == "completed");
  CHECK(restored.world.system.requests == 2);
}

TEST_CASE("restored: runs that begin afterwards are not doubted") {
  Restored restored("none", false);
  const auto fresh = restored.world.run_workflow("rest", JsonObject());
  CHECK(restored.world.finish(fresh).status == "completed");
}

TEST_CASE("restored: a crash after the restore forgets no doubt") {
  Restored restored("none", false);
  restored.world.crash();
  restored.world.start();
  CHECK_FALSE(restored.world.finish(restored.id, minutes(5)).incident.empty());
  restored.world.crash();
  restored.world.start();
  CHECK(restored.world.system.requests == 0);
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
// An orderly stop has a bound: what is not finished by then is left as it was saved, and the next
// start goes on with it.
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using test::Behaviour;
using test::World;

std::string asking(std::string_view effect_class) {
  return fmt::format(R"(
document: {{dsl: '1.0.3', namespace: test, name: ask, version: '1.0.0'}}
do:
  - ask: {{call: 'system:1.0.0@default', with: {{class: {}}}}}
)",
                     effect_class);
}

Stopped stop(World& world, Duration grace) {
  return world.executor.run(world.engine->stop_within(grace));
}

/// The same data directory with a new engine, after an orderly stop.
void start_again(World& world) {
  world.engine.reset();
  world.store.reset();
  world.start();
}

}  // namespace

TEST_CASE("stop: a call that ends within the grace is waited for and its result kept") {
  World world;
  world.add_document(asking("key"));
  world.start();
  world.system.latency = std::chrono::milliseconds(500);
  const auto id = world.run_workflow("ask", JsonObject());
  world.executor.advance(std::chrono::milliseconds(100));
  const auto stopped = stop(world, std::chrono::seconds(10));
  CHECK(stopped.cut == 0);
  CHECK(stopped.left == 0);
  start_again(world);
  CHECK(world.finish(id).status == "completed");
  CHECK(world.system.requests == 1);
}

TEST_CASE(
    "stop: a call that hangs is cut at the bound, and the next start finds out by its class") {
  for (const auto* effect_class : {"local", "read", "key", "lookup"}) {
    CAPTURE(effect_class);
    World world;
    world.add_document(asking(effect_class));
    world.add_document(R"(
document: {dsl: '1.0.3', namespace: test, name: later, version: '1.0.0'}
do:
  - rest: {wait: PT0.01S}
  - ask: {call: 'system:1.0.0@default', with: {class: local}}
)");
    world.start();
    world.system.script = {Behaviour::hang};
    const bool local = std::string_view(effect_class) == "local";
    const auto id = world.run_workflow(local ? "later" : "ask", JsonObject());
    world.executor.advance(std::chrono::milliseconds(100));
    REQUIRE(world.system.inside == 1);
    const auto before = world.executor.clock().instant();
    const auto stopped = stop(world, std::chrono::seconds(1));
    CHECK(world.executor.clock().instant() - before <= Duration(std::chrono::seconds(1)));
    CHECK(stopped.cut == 1);
    CHECK(stopped.left == 0);
    start_again(world);
    const auto view = world.finish(id);
    CHECK(view.status == "completed");
    for (const auto& [effect, times] : world.system.done) {
      const bool repeatable = local || std::string_view(effect_class) == "read";
      CHECK(times == (repeatable ? 2 : 1));
    }
  }
}

TEST_CASE("stop: a call that cannot be repeated and was cut becomes an incident, not a fault") {
  World world;
  world.add_document(asking("none"));
  world.start();
  world.system.script = {Behaviour::hang};
  const auto id = world.run_workflow("ask", JsonObject());
  world.executor.advance(std::chrono::milliseconds(100));
  CHECK(stop(world, std::chrono::seconds(1)).cut == 1);
  start_again(world);
  world.executor.advance(std::chrono::seconds(10));
  const auto view = world.view(id);
  CHECK(view.status == "waiting");
  CHECK(view.waiting_for.starts_with("incident"));
}

TEST_CASE("stop: a call that heeds no cancellation is told of") {
  World world;
  world.add_document(asking("key"));
  world.start();
  world.system.script = {Behaviour::hang};
  world.system.deaf = true;
  world.run_workflow("ask", JsonObject());
  world.executor.advance(std::chrono::milliseconds(100));
  const auto before = world.executor.clock().instant();
  const auto stopped = stop(world, std::chrono::seconds(1));
  CHECK(stopped.cut == 1);
  CHECK(stopped.left == 1);
  CHECK(world.executor.clock().instant() - before <= Duration(std::chrono::seconds(6)));
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
// How many runs are driven at once: a burst, a restart with many open runs, and two tenants.
#include "workflow/detail/places.h"

#include "workflow/test/world.h"

#include <doctest/doctest.h>

#include <vector>

namespace aios::workflow {
namespace {

using test::Behaviour;
using test::World;

constexpr const char* asking = R"(
document: {dsl: '1.0.3', namespace: test, name: ask, version: '1.0.0'}
do:
  - ask: {call: 'system:1.0.0@default', with: {class: key}}
)";
constexpr const char* hasty = R"(
document: {dsl: '1.0.3', namespace: test, name: hasty, version: '1.0.0'}
do:
  - a: {set: {x: 1}}
)";

TenantId tenant(const char* name) {
  auto parsed = TenantId::parse(name);
  REQUIRE(parsed.ok());
  return *parsed;
}

constexpr int limit = 20;
constexpr int burst = 300;

/// Both documents on a system that drives at most `limit` runs of a tenant and takes that long.
void start_slow(World& world, Duration latency) {
  world.services.places = {.all_max = 30, .tenant_max = limit};
  world.add_document(asking);
  world.add_document(hasty);
  world.start();
  world.system.latency = latency;
}

}  // namespace

TEST_CASE("places: one tenant has at most its part, and all together at most all") {
  Places places({.all_max = 3, .tenant_max = 2});
  const auto a = tenant("a");
  const auto b = tenant("b");
  auto first = places.take(a);
  auto second = places.take(a);
  CHECK(first);
  CHECK(second);
  CHECK_FALSE(places.take(a));
  auto third = places.take(b);
  CHECK(third);
  CHECK_FALSE(places.take(b));
  CHECK(places.taken() == 3);
  CHECK(places.waits(a));
  CHECK(places.waits(b));
}

TEST_CASE("places: who is given back is told of while somebody waits, and goes before the fresh") {
  Places places({.all_max = 1, .tenant_max = 1});
  int told = 0;
  places.on_free([&] { ++told; });
  const auto a = tenant("a");
  auto place = places.take_fresh(a);
  place.give_back();
  CHECK(told == 0);
  place = places.take(a);
  CHECK_FALSE(places.take(a));
  place.give_back();
  CHECK(told == 1);
  CHECK_FALSE(places.take_fresh(a));
  CHECK(places.take(a));
  CHECK(places.take_fresh(a));
  CHECK(places.taken() == 0);
}

TEST_CASE("places: a burst is answered at once and driven a bounded number at a time") {
  World world;
  start_slow(world, std::chrono::seconds(1));
  std::vector<std::string> ids;
  for (int i = 0; i < burst; ++i) {
    ids.push_back(world.run_workflow("ask", JsonObject()));
  }
  CHECK(world.system.requests <= limit);
  CHECK(world.count("running") == burst);
  const auto quick = world.run_workflow("hasty", JsonObject());
  CHECK(world.view(quick).status == "completed");  // it needs no place
  world.executor.advance(std::chrono::seconds(burst / limit + 2));
  CHECK(world.system.inside_max == limit);
  CHECK(world.count("completed") == burst + 1);
  for (const auto& [effect, times] : world.system.done) {
    CHECK(times == 1);
  }
}

TEST_CASE("places: after a crash no more runs are driven at once than before it") {
  World world;
  start_slow(world, std::chrono::hours(1));
  for (int i = 0; i < burst; ++i) {
    world.run_workflow("ask", JsonObject());
  }
  world.crash();
  world.executor.advance(std::chrono::hours(2));  // what was on its way arrived
  world.system.latency = std::chrono::seconds(1);
  world.system.inside_max = 0;
  world.start();
  world.executor.advance(std::chrono::minutes(1));
  CHECK(world.count("completed") == burst);
  CHECK(world.system.inside_max == limit);
}

TEST_CASE("places: a tenant whose calls hang holds up no other tenant") {
  World world;
  start_slow(world, Duration(0));
  const auto other = tenant("other");
  REQUIRE(world.engine->install(other, {{"ask.yaml", asking}}).empty());
  world.system.chooser = [] { return Behaviour::hang; };
  for (int i = 0; i < burst; ++i) {
    world.run_workflow("ask", JsonObject());
  }
  world.executor.advance(std::chrono::milliseconds(100));
  CHECK(world.system.inside == limit);
  world.system.chooser = nullptr;
  const auto id = world.run_workflow_of(other, "ask", JsonObject());
  world.executor.advance(std::chrono::milliseconds(100));
  auto view = world.executor.run(world.engine->get(system_context(other, "test"), id));
  REQUIRE(view.ok());
  CHECK(view->status == "completed");
}

}  // namespace aios::workflow

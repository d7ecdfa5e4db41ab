// SPDX-License-Identifier: Apache-2.0
// What a person is told of an effect that nobody knows of, and what he may say of it.
#include "govern/opening.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

namespace aios::workflow {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::Behaviour;
using test::has;
using test::World;

/// A run with one call.
struct Acting {
  explicit Acting(std::string_view effect) {
    world.add_document(
        fmt::format("document: {{dsl: '1.0.3', namespace: test, name: act, version: '1.0.0'}}\n"
                    "do:\n"
                    "  - act: {{call: 'system:1.0.0@default', with: {{class: {}, value: 1234}}}}\n",
                    effect));
    world.system.origin = "http://old.example";
    world.start();
  }
  std::string go(Behaviour first) {
    world.system.script = {first};
    return world.run_workflow("act", JsonObject());
  }
  /// A run that waits for a person.
  std::string lost() {
    auto id = go(Behaviour::lose_reply);
    world.executor.advance(seconds(5));
    REQUIRE(world.view(id).waiting_for.starts_with("incident inc_"));
    return id;
  }
  Result<void> resolve(const std::string& id, std::string word, Json result) {
    Resolution resolution{
        .incident = world.view(id).incident, .word = std::move(word), .result = std::move(result)};
    return world.executor.run(
        world.engine->resolve_incident(world.ctx(), id, std::move(resolution)));
  }
  std::string told(const std::string& id, Shown shown) {
    auto text = world.executor.run(world.engine->explain(world.ctx(), id, shown));
    REQUIRE(text.ok());
    return *text;
  }
  std::vector<std::string> leaves() {
    auto found = world.executor.run(world.store->leaves(world.ctx(), 0, 100));
    REQUIRE(found.ok());
    return *found;
  }
  World world;
};

}  // namespace

TEST_CASE("incident: a result that the call cannot have given is refused, and nothing changes") {
  Acting acting("none");
  acting.world.system.strict = true;
  const auto id = acting.lost();
  const auto before = acting.leaves().size();
  for (const Json& wrong : {Json(), Json(JsonObject{{"foo", 1}})}) {
    const auto refused = acting.resolve(id, "happened", wrong);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().page() == 1020);
    CHECK(has(refused.error().text(), "'effect' is missing"));
    CHECK(acting.world.view(id).status == "waiting");
  }
  CHECK(acting.leaves().size() == before);
  CHECK(acting.resolve(id, "happened", JsonObject{{"effect", "as the books say"}}).ok());
  CHECK(acting.world.view(id).status == "completed");
}

TEST_CASE("incident: the leaf names the effect and commits to the result that a person gave") {
  Acting acting("none");
  const auto id = acting.lost();
  REQUIRE(acting.resolve(id, "happened", JsonObject{{"effect", "as the books say"}}).ok());
  int found = 0;
  for (const auto& leaf : acting.leaves()) {
    if (!has(leaf, "resolved_happened")) {
      continue;
    }
    ++found;
    const Json json = parse_json(leaf).value();
    const auto parts = govern::parts_of(json);  // and what policy was asked
    CHECK(parts.size() == 2);
    CHECK(std::find(parts.begin(), parts.end(), "result") != parts.end());
    CHECK(has(leaf, fmt::format(R"("effect_id":"{}-1")", id)));
    CHECK_FALSE(has(leaf, "books"));
  }
  CHECK(found == 1);
}

TEST_CASE("incident: a system that has moved is neither asked nor sent to, a person is") {
  for (const auto* effect : {"key", "lookup"}) {
    for (const bool crash : {false, true}) {
      CAPTURE(effect);
      CAPTURE(crash);
      Acting acting(effect);
      auto& world = acting.world;
      const auto id = acting.go(crash ? Behaviour::hang : Behaviour::lose_reply);
      world.executor.advance(milliseconds(20));
      world.system.origin = "http://new.example";
      if (crash) {
        world.crash();
        world.start();
      }
      world.executor.advance(minutes(5));
      CHECK(world.view(id).waiting_for.starts_with("incident inc_"));
      CHECK(world.system.requests == 1);
      CHECK(world.system.lookups == 0);
      const auto text = acting.told(id, Shown::all);
      CHECK(has(text, "http://old.example"));
      CHECK(has(text, "AIOS-1035"));
      CHECK(acting.resolve(id, "retry", Json()).ok());  // he looked: it is not there
      CHECK(world.finish(id).status == "completed");
      CHECK(world.system.requests == 2);
    }
  }
}

TEST_CASE("incident: what a person says of a call is remembered like what the system says") {
  Acting acting("none");
  const auto id = acting.lost();
  REQUIRE(acting.resolve(id, "happened", JsonObject{{"effect", "as the books say"}}).ok());
  const auto results = to_text(acting.world.view(id).results);
  CHECK(has(results, R"("operation":"act")"));
  CHECK(has(results, "as the books say"));
}

TEST_CASE("incident: what a person lets go again is sent, also when the system was away") {
  Acting acting("none");
  auto& world = acting.world;
  const auto id = acting.go(Behaviour::hang);
  world.executor.advance(milliseconds(20));
  world.system.away = true;
  world.crash();
  world.start();
  world.executor.advance(seconds(5));
  REQUIRE(world.view(id).waiting_for.starts_with("incident inc_"));
  world.system.away = false;
  REQUIRE(acting.resolve(id, "retry", Json()).ok());
  CHECK(world.finish(id).status == "completed");
  CHECK(world.system.requests == 2);
}

TEST_CASE(
    "incident: a system that moves while a call is admitted is known to be where it was sent") {
  Acting acting("key");
  auto& world = acting.world;
  world.system.on_prepare = [&world] { world.system.origin = "http://new.example"; };
  const auto id = acting.go(Behaviour::lose_reply);
  CHECK(world.finish(id).status == "completed");
  CHECK(world.system.requests == 2);
  CHECK(world.system.done.begin()->second == 1);
}

TEST_CASE("incident: a system that moved before anything was sent is sent to") {
  Acting acting("lookup");
  const auto id = acting.go(Behaviour::spare);
  acting.world.system.origin = "http://new.example";
  CHECK(acting.world.finish(id).status == "completed");
}

TEST_CASE("incident: who may read payloads is told what was called, and no id that nobody saw") {
  Acting acting("none");
  acting.world.system.names_effect = false;
  const auto id = acting.lost();
  const auto text = acting.told(id, Shown::all);
  CHECK(has(text, R"("value":1234)"));
  CHECK_FALSE(has(text, id + "-1"));
  CHECK_FALSE(has(acting.told(id, Shown::clear), "1234"));
  acting.world.system.names_effect = true;
  CHECK(has(acting.told(id, Shown::all), fmt::format("for effect {}-1,", id)));
}

}  // namespace aios::workflow

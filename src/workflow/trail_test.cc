// SPDX-License-Identifier: Apache-2.0
// What the log says of an effect: every intent has its outcome unless nobody saw the end, and a
// look-up is no intent.
#include "runtime/task_group.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace aios::workflow {
namespace {

using test::Behaviour;
using test::World;

constexpr const char* document = R"(
document: {dsl: '1.0.3', namespace: test, name: ask, version: '1.0.0'}
do:
  - ask: {call: 'system:1.0.0@default', with: {class: '${ .class }', value: 7}}
)";

struct Trail {
  Trail() {
    world.add_document(document);
    world.start();
  }
  std::string go(std::string_view effect, std::initializer_list<Behaviour> script) {
    world.system.script.assign(script.begin(), script.end());
    return world.run_workflow("ask", JsonObject{{"class", effect}});
  }
  /// First words of the leaves about effects, in order.
  std::string words() {
    const auto leaves = world.executor.run(world.store->leaves(world.ctx(), 0, 1'000)).value();
    std::string out;
    for (const std::string& leaf : leaves) {
      const std::string word = leaf.substr(0, std::min(leaf.find(' '), leaf.size()));
      const bool ours = word == "intent" || word == "outcome" || word == "blocked" ||
                        word == "lookup";  // as the world's system writes them
      if (ours || leaf.find("not_sent") != std::string::npos) {
        out += (out.empty() ? "" : " ") + (ours ? word : "not_sent");
      }
    }
    return out;
  }
  World world;
};

}  // namespace

TEST_CASE("trail: what is blocked before its intent leaves no intent, however often it wakes") {
  for (const char* effect : {"read", "key", "lookup", "none"}) {
    CAPTURE(std::string(effect));
    Trail trail;
    trail.world.system.turn_away = 5;
    const auto id = trail.go(effect, {});
    CHECK(trail.words().empty());
    CHECK(trail.world.view(id).waiting_for.starts_with("blocked"));
    CHECK(trail.world.finish(id).status == "completed");
    CHECK(trail.words() == "intent outcome");
    CHECK(trail.world.system.requests == 1);
  }
}

TEST_CASE("trail: what is blocked after its intent says so, and no try is counted") {
  Trail trail;
  const auto id = trail.go("key", {Behaviour::block, Behaviour::block});
  CHECK(trail.world.finish(id).status == "completed");
  CHECK(trail.words() == "intent blocked intent blocked intent outcome");
}

TEST_CASE("trail: a look-up has one leaf of its own, before what follows from it") {
  Trail found;
  CHECK(found.world.finish(found.go("lookup", {Behaviour::lose_reply})).status == "completed");
  CHECK(found.words() == "intent outcome lookup");
  Trail absent;
  const auto id = absent.go("lookup", {Behaviour::drop});
  CHECK(absent.world.finish(id).status == "completed");
  const std::string words = absent.words();
  CHECK(words.starts_with("intent outcome lookup "));
  CHECK(words.ends_with(" lookup intent outcome"));
}

TEST_CASE("trail: a look-up that fails is written down each time") {
  Trail trail;
  trail.world.system.lookup_fails = true;
  trail.go("lookup", {Behaviour::drop});
  trail.world.executor.advance(std::chrono::minutes(1));
  const std::string words = trail.words();
  CHECK(words.starts_with("intent outcome lookup lookup"));
  CHECK(words.find("intent", 1) == std::string::npos);
}

namespace {

Task<void> cancel(Engine* engine, Context ctx, std::string id) {
  auto cancelled = co_await engine->cancel(std::move(ctx), std::move(id), "no more");
  CHECK(cancelled.ok());
}

}  // namespace

TEST_CASE("trail: an intent that a cancellation overtook says that nothing was sent") {
  Trail trail;
  runtime::TaskGroup group(trail.world.executor);
  trail.world.system.turn_away = 1;
  const auto id = trail.go("key", {});
  trail.world.system.on_prepare = [&] {
    group.spawn(cancel(trail.world.engine.get(), trail.world.ctx(), id));
  };
  CHECK(trail.world.finish(id).status == "cancelled");
  trail.world.executor.run(group.join());
  CHECK(trail.words() == "intent not_sent");
  CHECK(trail.world.system.requests == 0);
}

}  // namespace aios::workflow

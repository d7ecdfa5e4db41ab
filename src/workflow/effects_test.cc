// SPDX-License-Identifier: Apache-2.0
// The fence: whatever is lost, whenever the power fails, an effect happens as often as its class
// allows.
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using test::Behaviour;
using test::has;
using test::World;

std::string calling(std::string_view effect) {
  return fmt::format(
      "document: {{dsl: '1.0.3', namespace: test, name: ask, version: '1.0.0'}}\n"
      "do:\n"
      "  - ask: {{call: 'system:1.0.0@default', with: {{class: {}, value: 7}}}}\n"
      "  - keep: {{set: {{value: '${{ .value }}'}}}}\n",
      effect);
}

struct Asked {
  explicit Asked(std::string_view effect) {
    world.add_document(calling(effect));
    world.start();
  }
  std::string go(std::vector<Behaviour> script) {
    world.system.script.assign(script.begin(), script.end());
    return world.run_workflow("ask", JsonObject());
  }
  int times() const { return world.system.done.empty() ? 0 : world.system.done.begin()->second; }
  World world;
};

}  // namespace

TEST_CASE("effects: intent and result are two commits, and the leaves are in order") {
  Asked asked("key");
  asked.go({});
  const auto view = asked.world.finish(asked.go({}));
  CHECK(view.status == "completed");
  CHECK(int_or(view.output, "value", 0) == 7);
  const auto leaves =
      asked.world.executor.run(asked.world.store->leaves(asked.world.ctx(), 0, 100));
  REQUIRE(leaves.ok());
  CHECK(leaves->size() == 8);  // two starts, two intents, two outcomes, two ends
}

TEST_CASE("effects: a lost reply of a keyed call is asked again with the same key") {
  Asked asked("key");
  const auto view = asked.world.finish(asked.go({Behaviour::lose_reply, Behaviour::drop}));
  CHECK(view.status == "completed");
  CHECK(asked.times() == 1);
  CHECK(asked.world.system.requests == 3);
}

TEST_CASE("effects: a lost reply of a lookup call is looked up, not sent again") {
  Asked asked("lookup");
  const auto view = asked.world.finish(asked.go({Behaviour::lose_reply}));
  CHECK(view.status == "completed");
  CHECK(asked.times() == 1);
  CHECK(asked.world.system.requests == 1);
  CHECK(asked.world.system.lookups == 1);
}

TEST_CASE("effects: a lookup call that did not happen is sent again") {
  Asked asked("lookup");
  const auto view = asked.world.finish(asked.go({Behaviour::drop}));
  CHECK(view.status == "completed");
  CHECK(asked.times() == 1);
  CHECK(asked.world.system.requests == 2);
}

TEST_CASE("effects: an unknown outcome without key or lookup waits for a person") {
  for (const std::string word : {"happened", "retry", "fail"}) {
    CAPTURE(word);
    Asked asked("none");
    const auto id = asked.go({Behaviour::lose_reply});
    asked.world.executor.advance(std::chrono::hours(48));
    CHECK(asked.world.view(id).status == "waiting");
    CHECK(asked.world.system.requests == 1);
    const auto why = asked.world.executor.run(asked.world.engine->explain(asked.world.ctx(), id));
    REQUIRE(why.ok());
    CHECK(has(*why, "incident inc_"));
    const auto incident = asked.world.view(id).incident;
    const auto resolve = [&](const std::string& named) {
      return asked.world.executor.run(asked.world.engine->resolve_incident(
          asked.world.ctx(), id,
          {.incident = named, .word = word, .result = JsonObject{{"value", 9}}}));
    };
    CHECK(has(*why, fmt::format("aios runs resolve {} {} {}", id, incident, word)));
    for (const std::string other : {"", "inc_of_yesterday"}) {
      const auto wrong = resolve(other);
      REQUIRE_FALSE(wrong.ok());
      CHECK(wrong.error().page() == 1014);
    }
    CHECK(resolve(incident).ok());
    const auto view = asked.world.finish(id);
    CHECK(view.status == (word == "fail" ? "faulted" : "completed"));
    CHECK(asked.world.system.requests == (word == "retry" ? 2 : 1));
    if (word == "happened") {
      CHECK(int_or(view.output, "value", 0) == 9);
    }
    CHECK_FALSE(resolve(incident).ok());
  }
}

TEST_CASE("effects: certain failures are retried, then the document gets the error") {
  Asked asked("none");
  const std::vector<Behaviour> four(4, Behaviour::fail_before);
  const auto view = asked.world.finish(asked.go(four));
  CHECK(view.status == "faulted");
  CHECK(int_or(view.error, "status", 0) == 503);
  CHECK(asked.world.system.requests == 4);
  CHECK(asked.times() == 0);
}

TEST_CASE("effects: a refusal is not retried") {
  Asked asked("key");
  const auto view = asked.world.finish(asked.go({Behaviour::refuse}));
  CHECK(view.status == "faulted");
  CHECK(int_or(view.error, "status", 0) == 409);
  CHECK(asked.world.system.requests == 1);
}

TEST_CASE("effects: a refusal for good settles its own try alone") {
  struct Case {
    std::string effect;
    std::vector<Behaviour> script;
    std::string status;
  };
  const std::vector<Case> cases{
      // The peer may have refused before it looked at the key: nobody knows of the first try.
      {"key", {Behaviour::lose_reply, Behaviour::refuse}, "waiting"},
      {"key", {Behaviour::fail_before, Behaviour::refuse}, "faulted"},
      // The peer was asked, and the first try had not happened.
      {"lookup", {Behaviour::drop, Behaviour::refuse}, "faulted"},
      {"read", {Behaviour::lose_reply, Behaviour::refuse}, "faulted"},
      {"none", {Behaviour::fail_before, Behaviour::refuse}, "faulted"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.effect);
    CAPTURE(one.status);
    Asked asked(one.effect);
    const auto view = asked.world.finish(asked.go(one.script));
    CHECK(view.status == one.status);
    CHECK(view.waiting_for.starts_with(one.status == "waiting" ? "incident inc_" : ""));
    CHECK(asked.world.system.requests == 2);
  }
}

TEST_CASE("effects: look-ups without an answer come less and less often, and end with a person") {
  Asked asked("lookup");
  asked.world.system.lookup_fails = true;
  const auto id = asked.go({Behaviour::lose_reply});
  asked.world.executor.advance(std::chrono::hours(1));
  CHECK(asked.world.view(id).waiting_for.starts_with("lookup "));
  CHECK(asked.world.system.lookups > 5);
  CHECK(asked.world.system.lookups < 60);
  asked.world.crash();
  asked.world.start();
  const auto before = asked.world.system.lookups;
  asked.world.executor.advance(std::chrono::hours(1));
  CHECK(asked.world.system.lookups < before + 40);
  asked.world.executor.advance(std::chrono::hours(23));
  CHECK(asked.world.view(id).waiting_for.starts_with("incident inc_"));
  CHECK(asked.world.system.requests == 1);
}

TEST_CASE("effects: an open breaker parks the run and burns no attempt") {
  Asked asked("key");
  const std::vector<Behaviour> closed(20, Behaviour::block);
  const auto view = asked.world.finish(asked.go(closed));
  CHECK(view.status == "completed");
  CHECK(asked.world.system.requests == 1);
}

TEST_CASE(
    "effects: a breaker that stays open for a day is asked less and less, then fails the step") {
  Asked asked("key");
  int tries = 0;
  asked.world.system.chooser = [&tries] {
    ++tries;
    return Behaviour::block;
  };
  const auto view = asked.world.finish(asked.go({}), std::chrono::hours(25));
  CHECK(view.status == "faulted");
  CHECK(int_or(view.error, "status", 0) == 503);
  CHECK(tries < 400);  // every five minutes at last; 288,000 at the pause that the breaker asks for
}

TEST_CASE("effects: the guard's refusal is an authorization error and leaves a leaf") {
  Asked asked("key");
  asked.world.system.deny = true;
  const auto view = asked.world.finish(asked.go({}));
  CHECK(view.status == "faulted");
  CHECK(int_or(view.error, "status", 0) == 403);
  CHECK(has(std::string(text_or(view.error, "type", "")), "authorization"));
  CHECK(asked.world.system.requests == 0);
  const auto leaves = asked.world.executor.run(asked.world.store->leaves(asked.world.ctx(), 0, 9));
  REQUIRE(leaves.ok());
  REQUIRE(leaves->size() > 1);
  CHECK(leaves->at(1).starts_with("refused "));  // after the start
}

TEST_CASE("effects: a crash while a call is under way, by class") {
  for (const std::string effect : {"read", "key", "lookup", "none"}) {
    CAPTURE(effect);
    Asked asked(effect);
    const auto id = asked.go({Behaviour::hang});
    asked.world.executor.advance(std::chrono::milliseconds(100));
    CHECK(asked.world.system.requests == 1);
    asked.world.crash();
    asked.world.start();
    auto view = asked.world.finish(id, std::chrono::minutes(10));
    if (effect == "none") {
      CHECK(view.status == "waiting");
      CHECK(asked.times() == 1);
      continue;
    }
    CHECK(view.status == "completed");
    CHECK(asked.times() == (effect == "read" ? 2 : 1));
  }
}

namespace {

/// A step that gives a call up after that time, and is tried again.
std::string given_up_after(std::string_view time) {
  return fmt::format(R"(document: {{dsl: '1.0.3', namespace: test, name: ask, version: '1.0.0'}}
do:
  - guarded:
      try:
        - ask:
            timeout: {{after: {}}}
            call: system:1.0.0@default
            with: {{class: lookup, value: 7}}
      catch:
        retry: {{delay: PT5S, limit: {{attempt: {{count: 5}}}}}}
)",
                     time);
}

}  // namespace

TEST_CASE("effects: a step given up while its outcome was unknown keeps its key") {
  World world;
  world.add_document(given_up_after("PT1S"));
  world.start();
  world.system.script = {Behaviour::lose_reply};
  world.system.lookup_fails = true;
  const auto id = world.run_workflow("ask", JsonObject());
  world.executor.advance(std::chrono::seconds(9));
  world.system.lookup_fails = false;
  const auto view = world.finish(id);
  CHECK(world.system.done.size() == 1);
  CHECK(world.system.done.begin()->second == 1);
  CHECK(world.system.requests == 1);
}

TEST_CASE("effects: a step given up while its outcome was unknown is not asked of a moved system") {
  World world;
  world.add_document(given_up_after("PT5S"));
  world.system.origin = "http://old.example";
  world.start();
  world.system.script = {Behaviour::lose_reply};
  world.system.lookup_fails = true;
  const auto id = world.run_workflow("ask", JsonObject());
  world.executor.advance(std::chrono::seconds(6));
  world.system.origin = "http://new.example";
  world.system.lookups = 0;
  world.executor.advance(std::chrono::minutes(1));
  CHECK(world.view(id).waiting_for.starts_with("incident inc_"));
  CHECK(world.system.lookups == 0);
  CHECK(world.system.requests == 1);
}

TEST_CASE("effects: the next turn of a loop takes over no effect of the turn that was given up") {
  World world;
  world.add_document(R"(document: {dsl: '1.0.3', namespace: test, name: ask, version: '1.0.0'}
do:
  - begin: {set: {n: 1}}
  - guarded:
      try:
        - ask:
            timeout: {after: PT1S}
            call: system:1.0.0@default
            with: {class: lookup, value: '${ .n }'}
      catch:
        do:
          - other: {set: {n: 2}}
  - again:
      switch:
        - more: {when: '${ .n == 2 }', then: guarded}
        - none: {then: end}
)");
  world.start();
  world.system.script = {Behaviour::lose_reply};
  const auto view = world.finish(world.run_workflow("ask", JsonObject()), std::chrono::seconds(20));
  CHECK(view.waiting_for.starts_with("incident inc_"));  // of the first turn
  CHECK(world.system.done.size() == 2);
  CHECK(world.system.requests == 2);
}

TEST_CASE("effects: a crash at every commit of a run leaves each keyed call done once") {
  for (int lost = 0; lost < 8; ++lost) {
    CAPTURE(lost);
    Asked asked("key");
    asked.world.system.script = {Behaviour::fail_before, Behaviour::lose_reply};
    StartRequest request;
    request.workflow = "ask";
    request.run_id = "run_0";
    request.input = JsonObject();
    auto started =
        asked.world.executor.run(asked.world.engine->start(asked.world.ctx(), std::move(request)));
    REQUIRE(started.ok());
    for (int i = 0; i < lost * 3; ++i) {
      asked.world.executor.step();
    }
    asked.world.crash();
    asked.world.start();
    const auto view = asked.world.finish("run_0");
    CHECK(view.status == "completed");
    CHECK(asked.times() == 1);
  }
}

}  // namespace aios::workflow

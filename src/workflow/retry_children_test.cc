// SPDX-License-Identifier: Apache-2.0
// A run whose children did not all complete is tried again, and with it those.
#include "workflow/test/documents.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using test::Behaviour;
using test::document;
using test::has;
using test::World;

constexpr const char* calls_child = R"(do:
  - child: {run: {workflow: {namespace: test, name: child, version: latest, input: '${ . }'}}}
  - after: {set: {got: '${ .value }'}}
)";
constexpr const char* acts_twice = R"(do:
  - first: {call: 'system:1.0.0@default', with: {class: key, value: 1}}
  - second: {call: 'system:1.0.0@default', with: {class: key, value: 2}}
)";
constexpr const char* two_branches = R"(do:
  - both:
      fork:
        branches:
          - left:
              do:
                - a: {call: 'system:1.0.0@default', with: {class: key, value: 1}}
                - b: {call: 'system:1.0.0@default', with: {class: key, value: 2}}
          - right:
              do:
                - c: {call: 'system:1.0.0@default', with: {class: key, value: 3}}
                - rest: {wait: {minutes: 10}}
                - d: {call: 'system:1.0.0@default', with: {class: key, value: 4}}
      output: {as: '${ map(.value) }'}
)";

struct Family : World {
  explicit Family(std::vector<std::string> documents) {
    for (auto& text : documents) {
      add_document(std::move(text));
    }
    start();
  }
  Result<void> retry(const std::string& id, RetryWith with = RetryWith::same_definition) {
    return executor.run(engine->retry(ctx(), id, with));
  }
  /// So many effects were done outside, and each once: one that is done again under another id
  /// would be one more.
  bool each_once(std::size_t effects) const {
    bool once = system.done.size() == effects;
    for (const auto& [effect, times] : system.done) {
      once = once && times == 1;
    }
    return once;
  }
};

}  // namespace

TEST_CASE("retry: a fault in an awaited child: the parent is tried, and the child goes on") {
  Family world({document("parent", calls_child), document("child", acts_twice)});
  world.system.script = {Behaviour::answer, Behaviour::refuse};
  const auto id = world.run_workflow("parent", JsonObject());
  REQUIRE(world.finish(id).status == "faulted");
  const auto child = id + "-1";
  CHECK(world.view(child).status == "faulted");
  const auto refused = world.retry(child);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 1081);
  CHECK(has(refused.error().text(), "run '" + id + "' waited for it"));
  REQUIRE(world.retry(id).ok());
  const auto view = world.finish(id);
  CHECK(view.status == "completed");
  CHECK(to_text(view.output) == R"({"got":2})");
  CHECK(world.view(child).status == "completed");
  CHECK(world.system.requests == 3);
  CHECK(world.each_once(2));
}

TEST_CASE("retry: branches that were cut by another's fault go on from where they stood") {
  Family world({document("one", two_branches)});
  world.system.script = {Behaviour::answer, Behaviour::answer, Behaviour::refuse};
  const auto id = world.run_workflow("one", JsonObject());
  REQUIRE(world.finish(id).status == "faulted");
  CHECK(world.system.done.size() == 2);
  CHECK(world.view(id + "-2").status == "cancelled");
  REQUIRE(world.retry(id).ok());
  const auto view = world.finish(id);
  CHECK(view.status == "completed");
  CHECK(to_text(view.output) == "[2,4]");
  CHECK(world.each_once(4));
}

TEST_CASE("retry: a child that faults again faults the run again, as often as it is tried") {
  Family world({document("parent", calls_child), document("child", acts_twice)});
  world.system.script = {Behaviour::answer, Behaviour::refuse, Behaviour::refuse};
  const auto id = world.run_workflow("parent", JsonObject());
  REQUIRE(world.finish(id).status == "faulted");
  REQUIRE(world.retry(id).ok());
  REQUIRE(world.finish(id).status == "faulted");
  REQUIRE(world.retry(id).ok());
  CHECK(world.finish(id).status == "completed");
  CHECK(world.each_once(2));
}

TEST_CASE("retry: a grandchild that faulted goes on when the run above all is tried") {
  Family world({document("top", R"(do:
  - down: {run: {workflow: {namespace: test, name: parent, version: latest, input: '${ . }'}}}
)"),
                document("parent", calls_child), document("child", acts_twice)});
  world.system.script = {Behaviour::answer, Behaviour::refuse};
  const auto id = world.run_workflow("top", JsonObject());
  REQUIRE(world.finish(id).status == "faulted");
  REQUIRE(world.retry(id).ok());
  CHECK(to_text(world.finish(id).output) == R"({"got":2})");
  CHECK(world.system.requests == 3);
  CHECK(world.each_once(2));
}

TEST_CASE("retry: a fork that ran out of time goes on with its branches, with its time anew") {
  Family world({document("one", R"(do:
  - both:
      timeout: {after: {minutes: 5}}
      fork:
        branches:
          - quick: {call: 'system:1.0.0@default', with: {class: key, value: 1}}
          - slow: {call: 'system:1.0.0@default', with: {class: key, value: 2}}
      output: {as: '${ map(.value) }'}
)")});
  world.system.script = {Behaviour::answer};
  for (int i = 0; i < 400; ++i) {
    world.system.script.push_back(Behaviour::block);
  }
  const auto id = world.run_workflow("one", JsonObject());
  REQUIRE(world.finish(id).status == "faulted");
  CHECK(int_or(world.view(id).error, "status", 0) == 408);
  world.system.script.clear();
  REQUIRE(world.retry(id).ok());
  const auto view = world.finish(id);
  CHECK(view.status == "completed");
  CHECK(to_text(view.output) == "[1,2]");
  CHECK(world.each_once(2));
}

TEST_CASE("retry: a listen that ran out of time listens again; one that was answered is not lost") {
  Family world({document("one", R"(do:
  - all:
      try:
        - reply: {timeout: {after: {minutes: 5}}, listen: {to: {one: {with: {type: reply}}}}}
        - bad: {raise: {error: {type: 'https://example.com/x', status: 418, title: x}}}
      catch:
        errors: {with: {status: 418}}
        do: [{tell: {set: {a: 1}}}]
        then: end
      output: {as: '${ error("wrong") }'}
)")});
  const auto id = world.run_workflow("one", JsonObject());
  REQUIRE(world.finish(id).status == "faulted");
  CHECK(int_or(world.view(id).error, "status", 0) == 408);
  REQUIRE(world.retry(id).ok());
  REQUIRE(world.view(id).status == "waiting");
  const JsonObject event{
      {"specversion", "1.0"}, {"id", "a"}, {"source", "/x"}, {"type", "reply"}, {"data", 1}};
  store::Transition transition;
  transition.tenant = default_tenant();
  transition.epoch = world.store->epoch();
  transition.streams.push_back(
      Engine::keep("evt_a", Json(event), KeptBeside::nothing, world.executor.clock().now()));
  REQUIRE(world.executor.run(world.store->commit(world.ctx(), std::move(transition))).ok());
  const auto got = world.executor.run(world.engine->deliver(world.ctx(), "evt_a", Json(event)));
  CHECK(got.value() == id);
  REQUIRE(world.finish(id).status == "faulted");
  const auto refused = world.retry(id);  // it would wait for another event
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 1093);
}

TEST_CASE("retry: a child that cannot go on is named before anything changes") {
  Family world({document("parent", calls_child), document("child", R"(do:
  - much: {set: {s: '${ "x" * 1200000 }'}}
  - act: {call: 'system:1.0.0@default', with: {class: key, value: 1}}
)")});
  world.system.script = {Behaviour::refuse};
  const auto id = world.run_workflow("parent", JsonObject());
  REQUIRE(world.finish(id).status == "faulted");
  const auto refused = world.retry(id);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 1081);
  CHECK(has(refused.error().text(), id + "-1"));
  CHECK(world.view(id).status == "faulted");
  CHECK(world.system.requests == 1);
}

TEST_CASE("retry: a power cut at any moment of it does nothing twice and loses nothing") {
  for (int cut = 0; cut < 30; ++cut) {
    CAPTURE(cut);
    Family world({document("one", two_branches)});
    world.system.script = {Behaviour::answer, Behaviour::answer, Behaviour::refuse};
    const auto id = world.run_workflow("one", JsonObject());
    REQUIRE(world.finish(id).status == "faulted");
    world.commit_takes = std::chrono::milliseconds(3);
    REQUIRE(world.retry(id).ok());
    const auto rested =
        world.executor.run(runtime::sleep_for(Context(), std::chrono::milliseconds(cut)));
    REQUIRE(rested.ok());
    world.crash();
    world.start();
    const auto view = world.finish(id, std::chrono::hours(3));
    CHECK(view.status == "completed");
    CHECK(to_text(view.output) == "[2,4]");
    CHECK(world.each_once(4));
  }
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
// The task `fork`: branches that are runs.
#include "workflow/test/documents.h"
#include "workflow/test/world.h"

#include "workflow/detail/state.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

namespace aios::workflow {
namespace {

using test::all_runs;
using test::Behaviour;
using test::document;
using test::has;
using test::pass;
using test::refused;
using test::World;

}  // namespace

TEST_CASE("fork: branches wait at one time, and their outputs stand in their order") {
  World world;
  world.system.latency = std::chrono::seconds(1);
  world.add_document(document("forks", R"(do:
  - all:
      fork:
        branches:
          - slow: {call: 'system:1.0.0@default', with: {class: key, value: 1}}
          - wait: {do: [{a: {wait: {seconds: 1}}}, {b: {set: {n: '${ .n * 2 }'}}}]}
          - quick: {set: {n: '${ .n + 1 }'}}
)"));
  world.start();
  const auto id = world.run_workflow("forks", {{"n", 3}});
  const auto view = world.finish(id);
  CHECK(view.status == "completed");
  CHECK(world.executor.clock().now() - view.created < std::chrono::milliseconds(1'900));
  REQUIRE(view.output.is_array());
  const auto& outputs = view.output.get_array();
  REQUIRE(outputs.size() == 3);
  CHECK(int_or(outputs[0], "value", 0) == 1);
  CHECK(to_text(outputs[1]) == R"({"n":6})");
  CHECK(to_text(outputs[2]) == R"({"n":4})");
  CHECK(all_runs(world, Branches::hidden).size() == 1);
  CHECK(all_runs(world, Branches::shown).size() == 4);
  CHECK(world.view(id + "-1").branch == "slow");
}

TEST_CASE("fork: a branch reads what stood where it began, and what it exports is joined") {
  World world;
  world.add_document(document("forks", R"(do:
  - begin: {set: {n: 1}, export: {as: {base: 1, shared: 0, gone: 1}}}
  - loop:
      for: {each: pet, in: '${ ["cat"] }'}
      do:
        - all:
            fork:
              branches:
                - one:
                    set: {pet: '${ $pet }', id: '${ $workflow.id }'}
                    export: {as: '$context + {one: 1, shared: 1} | del(.gone)'}
                - two:
                    set: {pet: '${ $pet }'}
                    export: {as: '$context + {two: 2, shared: 2}'}
  - end: {set: {outputs: '${ . }', context: '${ $context }'}}
)"));
  world.start();
  const auto id = world.run_workflow("forks", JsonObject());
  const auto view = world.finish(id);
  CHECK(view.status == "completed");
  CHECK(to_text(*find(view.output, "context")) == R"({"base":1,"shared":2,"one":1,"two":2})");
  CHECK(to_text(*find(view.output, "outputs")) ==
        fmt::format(R"([{{"pet":"cat","id":"{}"}},{{"pet":"cat"}}])", id));
}

TEST_CASE("fork: of branches that compete the first wins, and the others are cancelled") {
  World world;
  world.add_document(document("race", R"(do:
  - race:
      fork:
        compete: true
        branches:
          - slow: {do: [{a: {wait: {hours: 3}}}, {b: {set: {who: slow}}}]}
          - quick: {do: [{a: {wait: {seconds: 3}}}, {b: {set: {who: quick}}}]}
)"));
  world.start();
  const auto id = world.run_workflow("race", JsonObject());
  const auto view = world.finish(id);
  CHECK(to_text(view.output) == R"({"who":"quick"})");
  CHECK(world.view(id + "-1").status == "cancelled");
  CHECK(world.view(id + "-2").status == "completed");
  CHECK(world.executor.clock().now() - view.created < std::chrono::minutes(1));
}

TEST_CASE("fork: a branch that faults cancels the others, and its error is raised") {
  World world;
  world.add_document(document("forks", R"(do:
  - all:
      fork:
        branches:
          - long: {wait: {hours: 3}}
          - bad: {raise: {error: {type: 'https://example.com/x', status: 418, title: X}}}
)"));
  world.start();
  const auto id = world.run_workflow("forks", JsonObject());
  const auto view = world.finish(id);
  CHECK(view.status == "faulted");
  CHECK(int_or(view.error, "status", 0) == 418);
  CHECK(text_or(view.error, "instance", "") == "/do/0/all/fork/branches/1/bad");
  CHECK(world.view(id + "-1").status == "cancelled");
}

TEST_CASE("fork: a loser whose effect may have happened is settled before the race is over") {
  World world;
  world.add_document(document("race", R"(do:
  - race:
      fork:
        compete: true
        branches:
          - risky: {call: 'system:1.0.0@default', with: {class: none}}
          - quick: {wait: {seconds: 3}}
)"));
  world.system.script = {Behaviour::lose_reply};
  world.start();
  const auto id = world.run_workflow("race", JsonObject());
  pass(world, std::chrono::minutes(1));
  CHECK(world.view(id).status == "waiting");
  const auto incident = world.view(id + "-1").incident;
  REQUIRE_FALSE(incident.empty());
  REQUIRE(world.executor
              .run(world.engine->resolve_incident(world.ctx(), id + "-1",
                                                  {incident, "happened", Json(JsonObject())}))
              .ok());
  CHECK(world.finish(id).status == "completed");
}

TEST_CASE("fork: what a branch was told is known to the steps after it, and to policy") {
  RunState parent;
  remember(parent.inferences, {{"alias", "a"}});
  RunState one;
  copy_memory(one, parent);
  RunState two = one;
  remember(one.inferences, {{"alias", "b"}});
  remember_result(one, {{"connector", "x"}});
  one.labels = 2;
  remember(two.inferences, {{"alias", "a"}});
  remember(two.reviews, {{"id", "r"}});
  two.results_forgotten = 3;
  const RunState base = parent;
  merge_memory(parent, base, one);
  merge_memory(parent, base, two);
  CHECK(to_text(Json(parent.inferences)) == R"([{"alias":"a"},{"alias":"b"},{"alias":"a"}])");
  CHECK(parent.results.size() == 1);
  CHECK(parent.reviews.size() == 1);
  CHECK(parent.results_forgotten == 3);
  CHECK(parent.labels == 2);
}

TEST_CASE("fork: branches that no commit holds are one error at the fork, and nothing is lost") {
  World world;
  constexpr std::string_view before = R"(do:
  - keep: {set: {s: '${ .s }'}, export: {as: '${ . }'}}
  - first: {call: 'system:1.0.0@default', with: {class: key, value: 1}}
)";
  constexpr std::string_view after =
      "  - then: {call: 'system:1.0.0@default', with: {class: key, value: 2}}\n";
  std::string fork = "fork: {branches: [";
  for (int i = 0; i < 8; ++i) {
    fork += fmt::format("{}{{b{}: {{set: {{n: {}}}}}}}", i == 0 ? "" : ", ", i, i);
  }
  fork += "]}";
  world.add_document(document("bare", fmt::format("{}  - all: {{{}}}\n{}", before, fork, after)));
  world.add_document(document(
      "caught", fmt::format("{}  - all: {{try: [{{inner: {{{}}}}}], catch: {{do: [{{b: {{set: "
                            "{{n: 1}}}}}}]}}}}\n{}",
                            before, fork, after)));
  world.start();
  const auto ended = [&world](std::string_view name, std::size_t bytes) {
    JsonObject input{{"s", std::string(bytes, 'x')}};
    const auto id = world.run_workflow(std::string(name), std::move(input));
    return world.finish(id);
  };
  const auto bare = ended("bare", 400'000);
  CHECK(bare.status == "faulted");
  const std::string why(text_or(bare.error, "detail", ""));
  CHECK(why.find("the 8 runs that begin here take ") != std::string::npos);
  CHECK(why.find("[AIOS-1037]") != std::string::npos);
  CHECK(text_or(bare.error, "instance", "") == "/do/2/all");
  CHECK(all_runs(world, Branches::shown).size() == 1);  // none began
  CHECK(world.system.requests == 1);
  CHECK(ended("caught", 400'000).status == "completed");
  CHECK(world.system.requests == 3);
  CHECK(ended("bare", 40'000).status == "completed");
  CHECK(all_runs(world, Branches::shown).size() == 3 + 8);
}

TEST_CASE("fork: what a document cannot mean is refused with its place") {
  const auto branch = [](std::string_view text) {
    return refused({document("f", fmt::format("do:\n  - a:\n      fork:\n{}", text))});
  };
  CHECK(has(branch("        branches: []\n"), "w0.yaml:5:"));
  CHECK(has(branch("        branches:\n          - b: {set: {n: 1}, then: end}\n"), "AIOS-1002"));
  CHECK(
      has(branch("        branches:\n          - b: {set: {n: 1}}\n          - b: {set: {n: 1}}\n"),
          "a second branch named 'b'"));
  CHECK(has(branch("        branches:\n          - b: {set: {n: 1}}\n        wait: 1\n"),
            "AIOS-1003"));
}

TEST_CASE("fork: a power cut at any moment ends the same way, and each effect happens once") {
  for (int cut = 0; cut < 60; cut += 2) {
    CAPTURE(cut);
    World world(static_cast<std::uint64_t>(cut) + 1);
    world.commit_takes = std::chrono::milliseconds(3);
    world.add_document(document("forks", R"(do:
  - all:
      fork:
        branches:
          - one: {call: 'system:1.0.0@default', with: {class: key, value: 1}}
          - two: {call: 'system:1.0.0@default', with: {class: lookup, value: 2}}
  - last: {call: 'system:1.0.0@default', with: {class: key, value: 3}}
)"));
    world.start();
    const auto id = world.run_workflow("forks", JsonObject());
    pass(world, std::chrono::milliseconds(cut));
    world.crash();
    world.start();
    const auto view = world.finish(id);
    CHECK(view.status == "completed");
    CHECK(world.system.done.size() == 3);
    for (const auto& [effect, times] : world.system.done) {
      CHECK(times == 1);
    }
  }
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
// The task `run: workflow`: another workflow as a run of its own.
#include "workflow/test/documents.h"
#include "workflow/test/world.h"

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

constexpr const char* calls_child = R"(do:
  - child:
      run:
        workflow: {namespace: test, name: child, version: latest, input: {n: '${ .n }'}}
  - after: {set: {got: '${ . }'}}
)";

std::string explained(World& world, const std::string& id) {
  auto text = world.executor.run(world.engine->explain(world.ctx(), id));
  REQUIRE(text.ok());
  return *text;
}

}  // namespace

TEST_CASE("run: another workflow runs as a run of its own, and its output is the step's") {
  World world;
  world.add_document(document("parent", calls_child));
  world.add_document(document("child", "do:\n  - a: {set: {n: '${ .n + 1 }'}}\n"));
  world.start();
  const auto id = world.run_workflow("parent", {{"n", 4}});
  const auto view = world.finish(id);
  CHECK(view.status == "completed");
  CHECK(to_text(view.output) == R"({"got":{"n":5}})");
  const auto child = world.view(id + "-1");
  CHECK(child.workflow == "test/child");
  CHECK(child.parent == id);
  CHECK(child.branch.empty());
  CHECK(child.status == "completed");
  CHECK(has(explained(world, id + "-1"), "started by: run " + id));
}

TEST_CASE("run: the parent waits without a place, and says for whom") {
  World world;
  world.services.places = {.all_max = 1, .tenant_max = 1};
  world.add_document(document("parent", calls_child));
  world.add_document(document("child", "do:\n  - a: {wait: {minutes: 30}}\n"));
  world.start();
  const auto id = world.run_workflow("parent", {{"n", 4}});
  pass(world, std::chrono::minutes(10));
  const auto view = world.view(id);
  CHECK(view.status == "waiting");
  CHECK(view.children == std::vector<std::string>{id + "-1"});
  CHECK(has(view.waiting_for, "child"));
  CHECK(has(explained(world, id), id + "-1 (test/child)"));
  CHECK(world.finish(id).status == "completed");
}

TEST_CASE("run: what a child raises is raised at the step, with its type and status") {
  World world;
  world.add_document(document("parent", R"(do:
  - guarded:
      try:
        - child: {run: {workflow: {namespace: test, name: child, version: '1.0.0'}}}
      catch:
        errors: {with: {status: 418}}
        as: problem
        do: [{tell: {set: {was: '${ $problem }'}}}]
)"));
  world.add_document(document("child", R"(do:
  - bad: {raise: {error: {type: 'https://example.com/teapot', status: 418, title: Teapot}}}
)"));
  world.start();
  const auto view = world.finish(world.run_workflow("parent", JsonObject()));
  CHECK(view.status == "completed");
  const auto* was = find(view.output, "was");
  REQUIRE(was != nullptr);
  CHECK(text_or(*was, "title", "") == "Teapot");
  CHECK(text_or(*was, "instance", "") == "/do/0/guarded/try/0/child");
}

TEST_CASE("run: without await the step gives its input at once, and the child goes on by itself") {
  World world;
  world.add_document(document("parent", R"(do:
  - child: {run: {await: false, workflow: {namespace: test, name: child, version: latest}}}
)"));
  world.add_document(document("child", "do:\n  - a: {wait: {minutes: 1}}\n  - b: {set: {n: 1}}\n"));
  world.start();
  const auto id = world.run_workflow("parent", {{"x", 1}});
  pass(world, std::chrono::seconds(1));
  CHECK(world.view(id).status == "completed");
  CHECK(to_text(world.view(id).output) == R"({"x":1})");
  CHECK(world.view(id + "-1").status == "waiting");
  CHECK(world.finish(id + "-1").status == "completed");
}

TEST_CASE(
    "run: an input that the child does not take is an error of the step, and nothing starts") {
  World world;
  world.add_document(document("parent", calls_child));
  world.add_document(document("child", R"(input:
  schema: {format: json, document: {type: object, properties: {n: {type: string}}}}
do:
  - a: {set: {n: 1}}
)"));
  world.start();
  const auto view = world.finish(world.run_workflow("parent", {{"n", 4}}));
  CHECK(view.status == "faulted");
  CHECK(has(to_text(view.error), "AIOS-1011"));
  CHECK(all_runs(world, Branches::shown).size() == 1);
}

TEST_CASE("run: a workflow that is not in the bundle is refused where it is named") {
  const auto text =
      refused({document("parent", calls_child), document("chill", "do:\n  - a: {set: {n: 1}}\n")});
  CAPTURE(text);
  CHECK(has(text, "w0.yaml:5:"));
  CHECK(has(text, "did you mean 'test/chill'"));
  CHECK(has(refused({document("p", "do:\n  - a: {run: {shell: {command: ls}}}\n")}), "AIOS-1002"));
}

TEST_CASE("run: a workflow that runs itself ends at the depth that is allowed") {
  World world;
  world.add_document(document("self", R"(do:
  - again: {run: {workflow: {namespace: test, name: self, version: latest}}}
)"));
  world.start();
  const auto view = world.finish(world.run_workflow("self", JsonObject()));
  CHECK(view.status == "faulted");
  CHECK(has(to_text(view.error), "AIOS-1052"));
  CHECK(all_runs(world, Branches::shown).size() == 9);
}

TEST_CASE("run: a run that starts children without end is stopped at a bound") {
  World world;
  world.add_document(document("many", R"(do:
  - loop:
      for: {in: '${ [range(1001)] }'}
      do: [{one: {run: {await: false, workflow: {namespace: test, name: child, version: latest}}}}]
)"));
  world.add_document(document("child", "do:\n  - a: {set: {n: 1}}\n"));
  world.start();
  const auto view = world.finish(world.run_workflow("many", JsonObject()));
  CHECK(view.status == "faulted");
  CHECK(has(to_text(view.error), "AIOS-1053"));
}

TEST_CASE("run: cancelling the parent cancels its child first, and each ends once") {
  World world;
  world.add_document(document("parent", calls_child));
  world.add_document(document("child", "do:\n  - a: {wait: {hours: 5}}\n"));
  world.start();
  const auto id = world.run_workflow("parent", {{"n", 1}});
  pass(world, std::chrono::seconds(1));
  REQUIRE(world.executor.run(world.engine->cancel(world.ctx(), id, "enough")).ok());
  const auto view = world.finish(id);
  CHECK(view.status == "cancelled");
  CHECK(world.view(id + "-1").status == "cancelled");
}

TEST_CASE("run: a child at an incident keeps a cancelled parent until a person settled it") {
  World world;
  world.add_document(document("parent", calls_child));
  world.add_document(document("child", R"(do:
  - act: {call: 'system:1.0.0@default', with: {class: none}}
)"));
  world.system.script = {Behaviour::lose_reply};
  world.start();
  const auto id = world.run_workflow("parent", {{"n", 1}});
  pass(world, std::chrono::minutes(1));
  const auto incident = world.view(id + "-1").incident;
  REQUIRE_FALSE(incident.empty());
  REQUIRE(world.executor.run(world.engine->cancel(world.ctx(), id, "enough")).ok());
  pass(world, std::chrono::hours(2));
  CHECK(world.view(id).status == "waiting");
  CHECK(has(explained(world, id), "it was cancelled: enough"));
  REQUIRE(
      world.executor
          .run(world.engine->resolve_incident(world.ctx(), id + "-1", {incident, "fail", Json()}))
          .ok());
  CHECK(world.finish(id).status == "cancelled");
  CHECK(world.view(id + "-1").status == "cancelled");
}

TEST_CASE("run: a timeout of the step ends the child before the parent goes on") {
  World world;
  world.add_document(document("parent", R"(do:
  - guarded:
      try:
        - child:
            run: {workflow: {namespace: test, name: child, version: latest}}
            timeout: {after: {seconds: 30}}
      catch: {errors: {with: {status: 408}}, do: [{tell: {set: {late: true}}}]}
)"));
  world.add_document(document("child", "do:\n  - a: {wait: {hours: 5}}\n"));
  world.start();
  const auto id = world.run_workflow("parent", JsonObject());
  const auto view = world.finish(id);
  CHECK(to_text(view.output) == R"({"late":true})");
  CHECK(world.view(id + "-1").status == "cancelled");
  CHECK(world.executor.clock().now() - view.created < std::chrono::minutes(1));
}

TEST_CASE("run: a child that an operator cancels is an error of the step") {
  World world;
  world.add_document(document("parent", calls_child));
  world.add_document(document("child", "do:\n  - a: {wait: {hours: 5}}\n"));
  world.start();
  const auto id = world.run_workflow("parent", {{"n", 1}});
  pass(world, std::chrono::seconds(1));
  REQUIRE(world.executor.run(world.engine->cancel(world.ctx(), id + "-1", "wrong one")).ok());
  const auto view = world.finish(id);
  CHECK(view.status == "faulted");
  CHECK(has(to_text(view.error), "wrong one [AIOS-1054]"));
}

TEST_CASE("run: a power cut between the child's end and the parent's wake loses nothing") {
  for (int cut = 0; cut < 40; ++cut) {
    CAPTURE(cut);
    World world(static_cast<std::uint64_t>(cut) + 1);
    world.commit_takes = std::chrono::milliseconds(3);
    world.add_document(document("parent", calls_child));
    world.add_document(document("child", R"(do:
  - act: {call: 'system:1.0.0@default', with: {class: key, value: '${ .n }'}}
)"));
    world.start();
    const auto id = world.run_workflow("parent", {{"n", 7}});
    pass(world, std::chrono::milliseconds(cut));
    world.crash();
    world.start();
    const auto view = world.finish(id);
    CHECK(view.status == "completed");
    CHECK(has(to_text(view.output), R"("value":7)"));
    CHECK(world.system.done.size() == 1);
    CHECK(all_runs(world, Branches::shown).size() == 2);
  }
}

}  // namespace aios::workflow

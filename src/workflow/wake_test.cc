// SPDX-License-Identifier: Apache-2.0
// Wake-ups: runs that take long, or cannot be read, take nothing from the others; and what the log
// says of a run that went wrong.
#include "observe/log.h"
#include "runtime/sim_wall.h"
#include "workflow/test/documents.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using test::Behaviour;
using test::document;
using test::World;

constexpr std::string_view calling =
    "  - ask: {call: 'system:1.0.0@default', with: {class: key}}\n";

/// Runs whose state no program can read, due since long.
void add_unreadable(World& world, int count) {
  for (int i = 0; i < count;) {
    store::Transition transition;
    transition.tenant = default_tenant();
    transition.epoch = world.store->epoch();
    for (; i < count && transition.streams.size() < 64; ++i) {
      store::StreamWrite write;
      write.id = fmt::format("run_bad_{}", i);
      write.state = store::Payload{"", "?"};
      write.status = "waiting";
      write.wake_at = world.executor.clock().now() - std::chrono::hours(1);
      transition.streams.push_back(std::move(write));
    }
    const auto done = world.executor.run(world.store->commit(world.ctx(), std::move(transition)));
    REQUIRE(done.ok());
  }
}

struct Logged {
  Logged() { world.services.log = &log; }
  std::vector<std::string> with(std::string_view part) const {
    std::vector<std::string> out;
    for (const auto& line : lines) {
      if (line.find(part) != std::string::npos) {
        out.push_back(line);
      }
    }
    return out;
  }
  std::vector<std::string> lines;
  observe::Log log{[this](std::string_view line) { lines.emplace_back(line); }};
  World world;
};

}  // namespace

TEST_CASE("wake: runs with a long call hold up no other run's timer") {
  constexpr int runs = 300;  // more than are read at once
  World world;
  world.add_document(document("long", fmt::format("do:\n  - rest: {{wait: PT1S}}\n{}", calling)));
  world.add_document(document("short", "do:\n  - rest: {wait: PT1.5S}\n"));
  world.start();
  world.system.chooser = [] { return Behaviour::hang; };  // until its time of two seconds is over
  for (int i = 0; i < runs; ++i) {
    world.run_workflow("long", JsonObject());
  }
  const auto id = world.run_workflow("short", JsonObject());
  world.executor.advance(std::chrono::milliseconds(1'900));
  CHECK(world.system.requests == runs);
  CHECK(world.view(id).status == "completed");
}

TEST_CASE("wake: a timer that comes while somebody has the run is not lost") {
  World world;
  world.add_document(document("slow", fmt::format("timeout: {{after: PT1S}}\ndo:\n{}", calling)));
  world.start();
  world.system.script = {Behaviour::hang};
  const auto id = world.run_workflow("slow", JsonObject());
  const auto view = world.finish(id, std::chrono::seconds(10));
  CHECK(view.waiting_for.starts_with("incident inc_"));  // nobody knows whether it happened
  CHECK(int_or(view.error, "status", 0) == 408);
}

TEST_CASE("wake: what a clock that was ahead parked waits as long as was asked, once it is right") {
  Logged logged;
  World& world = logged.world;
  world.on_set_clock = true;
  world.set_executor.ahead = std::chrono::hours(24 * 9);
  world.add_document(document("rest", "timeout: {after: PT3H}\ndo:\n  - rest: {wait: PT1H}\n"));
  world.add_document(document("late", "do:\n  - rest: {timeout: {after: PT1H}, wait: PT9H}\n"));
  world.start();
  const auto id = world.run_workflow("rest", JsonObject());
  const auto late = world.run_workflow("late", JsonObject());
  world.executor.advance(std::chrono::seconds(1));
  world.crash();
  world.set_executor.ahead = Duration(0);
  world.start();
  CHECK(logged.with("the clock was ahead when runs were saved").size() == 1);
  world.executor.advance(std::chrono::minutes(59));
  CHECK(world.view(id).status == "waiting");
  world.crash();  // it was parked anew, and begins no second hour
  world.start();
  CHECK(logged.with("the clock was ahead when runs were saved").size() == 1);
  world.executor.advance(std::chrono::minutes(2));
  CHECK(world.view(id).status == "completed");
  CHECK(world.view(late).status == "faulted");
}

TEST_CASE("wake: a clock that was ahead is set back under way, and each time comes when asked") {
  World world;
  runtime::set_sim_wall(world.executor.clock(), std::chrono::hours(24 * 9));
  world.add_document(document(
      "rest", "timeout: {after: PT3H}\ndo:\n  - one: {wait: PT1H}\n  - two: {wait: PT9H}\n"));
  world.add_document(document("late", "do:\n  - rest: {timeout: {after: PT1H}, wait: PT9H}\n"));
  world.start();
  const auto id = world.run_workflow("rest", JsonObject());
  const auto late = world.run_workflow("late", JsonObject());
  world.executor.advance(std::chrono::minutes(30));
  runtime::set_sim_wall(world.executor.clock(), Duration(0));
  world.executor.advance(std::chrono::minutes(29));
  CHECK(world.view(late).status == "waiting");
  world.executor.advance(std::chrono::minutes(2));
  CHECK(world.view(late).status == "faulted");
  world.executor.advance(std::chrono::minutes(118));
  CHECK(world.view(id).status == "waiting");
  world.executor.advance(std::chrono::minutes(2));
  CHECK(world.view(id).status == "faulted");
}

TEST_CASE("wake: a wall clock that is set back by little wakes a run with a timeout once more") {
  World world;
  world.on_set_clock = true;
  world.add_document(document("rest", "timeout: {after: PT10S}\ndo:\n  - rest: {wait: PT1H}\n"));
  world.start();
  const auto id = world.run_workflow("rest", JsonObject());
  world.executor.advance(std::chrono::seconds(5));
  world.set_executor.ahead = -std::chrono::milliseconds(500);
  world.executor.advance(std::chrono::milliseconds(5'400));
  CHECK(world.view(id).status == "waiting");
  world.executor.advance(std::chrono::seconds(1));
  CHECK(world.view(id).status == "faulted");
  const auto row = world.executor.run(world.store->stream(world.ctx(), store::StreamKind::run, id));
  REQUIRE(row.ok());
  CHECK(row->version < 6);
}

TEST_CASE("wake: a wall clock that is set is told of where nothing new waits") {
  Logged logged;
  auto& world = logged.world;
  world.on_set_clock = true;
  world.add_document(document("rest", "do:\n  - rest: {wait: PT1H}\n"));
  world.start();
  world.run_workflow("rest", JsonObject());
  world.executor.advance(std::chrono::seconds(1));
  world.set_executor.ahead = std::chrono::minutes(5);
  world.executor.advance(std::chrono::minutes(30));
  CHECK(logged.with("the wall clock was set").size() == 1);
}

TEST_CASE("wake: a wall clock that is set while a run is parked puts nothing off and ahead") {
  for (const Duration step : {Duration(std::chrono::hours(-1)), Duration(std::chrono::hours(1))}) {
    CAPTURE(step.count());
    World world;
    world.on_set_clock = true;
    world.set_executor.ahead = std::chrono::hours(2);
    world.commit_takes = std::chrono::seconds(2);
    world.add_document(document("rest", "do:\n  - rest: {wait: PT10S}\n"));
    world.start();
    world.executor.call_at(world.executor.clock().instant() + std::chrono::seconds(1),
                           [&world, step] { world.set_executor.ahead += step; });
    const auto id = world.run_workflow("rest", JsonObject());
    world.executor.advance(std::chrono::seconds(6));
    CHECK(world.view(id).status == "waiting");
    world.executor.advance(std::chrono::seconds(8));
    CHECK(world.view(id).status == "completed");
  }
}

TEST_CASE("wake: ten thousand runs that cannot be read hold up none that can") {
  constexpr int unreadable = 10'001;  // more than stand in memory
  Logged logged;
  auto& world = logged.world;
  world.add_document(document("rest", "do:\n  - rest: {wait: PT10S}\n"));
  world.start();
  const auto id = world.run_workflow("rest", JsonObject());
  add_unreadable(world, unreadable);
  world.crash();
  world.start();
  const auto view = world.finish(id, std::chrono::minutes(1));
  CHECK(view.status == "completed");
  world.executor.advance(std::chrono::minutes(10));
  CHECK(logged.with("AIOS-1030").size() == unreadable);  // once each
  world.executor.advance(std::chrono::hours(1));
  CHECK(logged.with("AIOS-1030").size() == 2 * unreadable);  // and once more an hour later
}

TEST_CASE("wake: runs are listed by the longest name that a workflow may have") {
  World world;
  const std::string space(63, 'n');
  const std::string name(63, 'w');
  world.add_document(fmt::format(
      "document: {{dsl: '1.0.3', namespace: {}, name: {}, version: '1.0.0'}}\ndo:\n  - rest: "
      "{{wait: PT10S}}\n",
      space, name));
  world.start();
  const auto id = world.run_workflow(space + "/" + name, JsonObject());
  store::ListQuery query;
  query.label = space + "/" + name;
  const auto rows = world.executor.run(world.store->list(world.ctx(), query));
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().id == id);
}

TEST_CASE("wake: a start that is refused leaves nothing that is woken") {
  Logged logged;
  auto& world = logged.world;
  world.add_document(document("calls", fmt::format("do:\n{}", calling)));
  world.start();
  world.system.turn_away = 2;  // the breaker is open
  std::vector<std::string> codes;
  for (const std::string id : {"run_first", "run_again"}) {
    StartRequest request;
    request.workflow = "calls";
    request.run_id = id;
    store::Transition with;
    with.keys.push_back({"event:shop", "evt-1", "digest", "answer"});
    request.with = std::move(with);
    auto started = world.executor.run(world.engine->start(world.ctx(), std::move(request)));
    codes.emplace_back(started.ok() ? "" : name_of(started.error().code()));
  }
  CHECK(codes == std::vector<std::string>{"", std::string(name_of(Code::already_exists))});
  world.engine->peer_recovered(default_tenant(), "system");
  world.executor.advance(std::chrono::milliseconds(200));  // its own time has not come yet
  CHECK(world.view("run_first").status == "completed");
  world.executor.advance(std::chrono::hours(1));
  CHECK(logged.with("run_again").empty());
  CHECK(logged.with(R"("level":"error")").empty());
}

TEST_CASE(
    "wake: a secret that is not taken parks runs, with one line a minute and a word in explain") {
  Logged logged;
  auto& world = logged.world;
  world.add_document(document("calls", fmt::format("do:\n{}", calling)));
  world.start();
  bool wrong = true;
  world.system.chooser = [&wrong] { return wrong ? Behaviour::deny : Behaviour::answer; };
  std::vector<std::string> ids;
  for (int i = 0; i < 10; ++i) {
    ids.push_back(world.run_workflow("calls", JsonObject()));
  }
  world.executor.advance(std::chrono::seconds(50));
  CHECK(world.system.requests > 10);
  CHECK(logged.with("does not take its secret").size() == 1);
  CHECK(logged.with("AIOS-0911").size() == 1);
  const auto text = world.executor.run(world.engine->explain(world.ctx(), ids[0]));
  REQUIRE(text.ok());
  CHECK(text->find("a secret that the system takes (no try is counted)") != std::string::npos);
  CHECK(text->find("secrets/token of the data directory") != std::string::npos);
  wrong = false;
  for (const auto& id : ids) {
    CHECK(world.finish(id).status == "completed");
  }
}

TEST_CASE("wake: a tenant of its own is told where its secrets are, and of no environment") {
  World world;
  const auto acme = TenantId::parse("acme").value();
  world.start();
  const auto calls = document("calls", fmt::format("do:\n{}", calling));
  REQUIRE(world.engine->install(acme, {{"calls.yaml", calls}}).empty());
  world.system.chooser = [] { return Behaviour::deny; };
  const auto id = world.run_workflow_of(acme, "calls", JsonObject());
  world.executor.advance(std::chrono::seconds(10));
  const auto text =
      world.executor.run(world.engine->explain(system_context(acme, "test"), id, Shown::all));
  REQUIRE(text.ok());
  CHECK(text->find("put it into secrets/acme/token of the data directory") != std::string::npos);
  CHECK(text->find("environment") == std::string::npos);
}

TEST_CASE("wake: the line about a secret keeps its minute when the wall clock is set back") {
  Logged logged;
  auto& world = logged.world;
  world.on_set_clock = true;
  world.add_document(document("calls", fmt::format("do:\n{}", calling)));
  world.start();
  world.system.chooser = [] { return Behaviour::deny; };
  world.run_workflow("calls", JsonObject());
  world.executor.advance(std::chrono::seconds(10));
  CHECK(logged.with("does not take its secret").size() == 1);
  world.set_executor.ahead = -std::chrono::hours(1);
  world.executor.advance(std::chrono::seconds(80));
  CHECK(logged.with("does not take its secret").size() == 2);
}

TEST_CASE("wake: a fault leaves one warning with its place and page, and none of the run's data") {
  Logged logged;
  auto& world = logged.world;
  world.add_document(document("big", R"(do:
  - grow: {set: {s: '${ .s + .s + .s + .s + .s + .s + .s + .s + .s + .s }'}}
  - rest: {wait: PT10H}
)"));
  world.add_document(document("fails", "do:\n  - bad: {set: {n: '${ .secret | error }'}}\n"));
  world.add_document(document("good", "do:\n  - rest: {wait: PT1S}\n"));
  world.start();
  const auto big = world.run_workflow("big", {{"s", std::string(400'000, 'x')}});
  CHECK(world.finish(big).status == "faulted");
  const auto about_big = logged.with(big);
  REQUIRE(about_big.size() == 1);
  CHECK(about_big.front().find(R"("level":"warn")") != std::string::npos);
  CHECK(about_big.front().find(R"("page":"AIOS-1032")") != std::string::npos);

  const auto bad = world.run_workflow("fails", {{"secret", "mother's maiden name"}});
  CHECK(world.finish(bad).status == "faulted");
  const auto about_bad = logged.with(bad);
  REQUIRE(about_bad.size() == 1);
  CHECK(about_bad.front().find(R"("step":"/do/0/bad")") != std::string::npos);
  CHECK(about_bad.front().find(R"(errors/expression")") != std::string::npos);
  CHECK(logged.with("maiden").empty());

  const auto good = world.run_workflow("good", JsonObject());
  CHECK(world.finish(good).status == "completed");
  CHECK(logged.with(good).empty());
}

TEST_CASE("wake: an incident leaves one warning that names it") {
  Logged logged;
  auto& world = logged.world;
  world.add_document(document(
      "ask", "do:\n  - ask: {call: 'system:1.0.0@default', with: {class: none, value: 7}}\n"));
  world.start();
  world.system.script = {Behaviour::lose_reply};
  const auto id = world.run_workflow("ask", JsonObject());
  world.executor.advance(std::chrono::hours(1));
  const auto incident = world.view(id).waiting_for.substr(std::string("incident ").size());
  const auto lines = logged.with(id);
  REQUIRE(lines.size() == 1);
  CHECK(lines.front().find(incident) != std::string::npos);
  CHECK(lines.front().find(R"("function":"system")") != std::string::npos);
}

}  // namespace aios::workflow

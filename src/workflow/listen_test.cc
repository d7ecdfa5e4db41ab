// SPDX-License-Identifier: Apache-2.0
// The task `listen`: a run that waits for an event, and events that wait for a run.
#include "store/store.h"
#include "workflow/test/documents.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using test::has;
using test::pass;
using test::World;

std::string listening(std::string_view filter, std::string_view rest) {
  return fmt::format(
      "document: {{dsl: '1.0.3', namespace: test, name: listening, version: '1.0.0'}}\n"
      "do:\n"
      "  - begin: {{set: {{ticket: '${{ .ticket }}'}}, export: {{as: .}}}}\n"
      "  - reply:\n"
      "      listen:\n"
      "        to: {{one: {}}}\n{}",
      filter, rest);
}

constexpr const char* by_subject = "{with: {type: reply, subject: '${ $context.ticket }'}}";

JsonObject reply(const std::string& id, const std::string& subject, int number) {
  return {{"specversion", "1.0"}, {"id", id},           {"source", "/desk"},
          {"type", "reply"},      {"subject", subject}, {"data", {{"number", number}}}};
}

/// As ingress takes it in.
void keep(World& world, const JsonObject& event) {
  store::Transition transition;
  transition.tenant = default_tenant();
  transition.epoch = world.store->epoch();
  transition.streams.push_back(Engine::keep("evt_" + std::string(text_or(Json(event), "id", "")),
                                            event, KeptBeside::nothing,
                                            world.executor.clock().now()));
  const auto done = world.executor.run(world.store->commit(world.ctx(), std::move(transition)));
  REQUIRE(done.ok());
}

/// @return the run that got it.
std::string send(World& world, const JsonObject& event) {
  keep(world, event);
  auto run = world.executor.run(world.engine->deliver(
      world.ctx(), "evt_" + std::string(text_or(Json(event), "id", "")), Json(event)));
  REQUIRE(run.ok());
  return *run;
}

std::string refused(const std::string& text) {
  FunctionRegistry none;
  std::string out;
  for (const auto& error : Engine::check({{"w.yaml", text}}, none)) {
    out += error.text() + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("listen: the event goes to the run whose filter it fits, and its data are the output") {
  World world;
  world.add_document(listening(by_subject, ""));
  world.start();
  const auto one = world.run_workflow("listening", {{"ticket", "T1"}});
  const auto two = world.run_workflow("listening", {{"ticket", "T2"}});
  CHECK(world.view(one).status == "waiting");
  const auto why = world.executor.run(world.engine->explain(world.ctx(), one));
  REQUIRE(why.ok());
  CHECK(has(*why, "an event of type 'reply'"));
  CHECK(send(world, reply("a", "T2", 2)) == two);
  CHECK(to_text(world.finish(two).output) == R"([{"number":2}])");
  CHECK(world.view(one).status == "waiting");
  CHECK(send(world, reply("b", "T3", 3)).empty());
  CHECK(send(world, reply("c", "T1", 1)) == one);
  CHECK(to_text(world.finish(one).output) == R"([{"number":1}])");
  const auto history = world.executor.run(world.engine->history(world.ctx(), one));
  REQUIRE(history.ok());
  CHECK(has(to_text(*history), R"("event":"evt_c")"));
}

TEST_CASE("listen: an event that comes before its run waits is kept for an hour, for one run") {
  World world;
  world.add_document(listening(by_subject, ""));
  world.start();
  CHECK(send(world, reply("a", "T1", 1)).empty());
  pass(world, std::chrono::minutes(30));
  const auto one = world.run_workflow("listening", {{"ticket", "T1"}});
  CHECK(world.finish(one).status == "completed");
  const auto two = world.run_workflow("listening", {{"ticket", "T1"}});
  CHECK(world.view(two).status == "waiting");
  CHECK(send(world, reply("b", "T9", 9)).empty());
  pass(world, std::chrono::minutes(61));
  const auto nine = world.run_workflow("listening", {{"ticket", "T9"}});
  CHECK(world.view(nine).status == "waiting");
}

TEST_CASE("listen: what the filter asks of the data, and what it correlates, must hold") {
  World world;
  world.add_document(listening(
      "{with: {type: reply, data: '${ .number > 5 }'}, correlate: {ticket: {from: '${ .subject }', "
      "expect: '${ $context.ticket }'}}}",
      ""));
  world.start();
  const auto one = world.run_workflow("listening", {{"ticket", "T1"}});
  CHECK(send(world, reply("a", "T1", 5)).empty());
  CHECK(send(world, reply("b", "T2", 6)).empty());
  CHECK(send(world, reply("c", "T1", 6)) == one);
}

TEST_CASE("listen: read says whether the event, its data or their text is given") {
  World world;
  world.add_document(listening(by_subject, "        read: envelope\n"));
  world.start();
  const auto one = world.run_workflow("listening", {{"ticket", "T1"}});
  send(world, reply("a", "T1", 1));
  CHECK(has(to_text(world.finish(one).output), R"("source":"/desk")"));
  World raw;
  raw.add_document(listening(by_subject, "        read: raw\n"));
  raw.start();
  const auto two = raw.run_workflow("listening", {{"ticket", "T1"}});
  send(raw, reply("a", "T1", 1));
  CHECK(to_text(raw.finish(two).output) == R"(["{\"number\":1}"])");
}

TEST_CASE("listen: a timeout ends the waiting, and an event that comes then finds nobody") {
  World world;
  world.add_document(listening(by_subject, "      timeout: {after: {minutes: 5}}\n"));
  world.start();
  const auto one = world.run_workflow("listening", {{"ticket", "T1"}});
  CHECK(int_or(world.finish(one).error, "status", 0) == 408);
  CHECK(send(world, reply("a", "T1", 1)).empty());
  const auto two = world.run_workflow("listening", {{"ticket", "T2"}});
  REQUIRE(world.executor.run(world.engine->cancel(world.ctx(), two, "enough")).ok());
  CHECK(send(world, reply("b", "T2", 1)).empty());
}

TEST_CASE("listen: a run that listens twice gets two events, each once") {
  World world;
  world.add_document(listening(by_subject,
                               "  - again: {listen: {to: {one: {with: {type: reply, subject: '${ "
                               "$context.ticket }'}}}}}\n"));
  world.start();
  keep(world, reply("a", "T1", 1));
  const auto one = world.run_workflow("listening", {{"ticket", "T1"}});
  CHECK(world.view(one).status == "waiting");
  CHECK(send(world, reply("b", "T1", 2)) == one);
  CHECK(to_text(world.finish(one).output) == R"([{"number":2}])");
}

TEST_CASE("listen: a power cut between an event's commit and its delivery loses nothing") {
  World world;
  world.add_document(listening(by_subject, ""));
  world.start();
  const auto one = world.run_workflow("listening", {{"ticket", "T1"}});
  pass(world, std::chrono::seconds(20));
  keep(world, reply("a", "T1", 1));
  world.crash();
  world.start();
  const auto view = world.finish(one);
  CHECK(view.status == "completed");
  CHECK(to_text(view.output) == R"([{"number":1}])");
}

TEST_CASE("listen: a run is not given the event that started it, but another one like it") {
  World world;
  world.add_document(
      "document: {dsl: '1.0.3', namespace: test, name: pair, version: '1.0.0'}\n"
      "do:\n"
      "  - begin: {set: {ticket: '${ .[0].subject }'}, export: {as: .}}\n"
      "  - reply: {listen: {to: {one: {with: {type: reply, subject: '${ $context.ticket }'}}}}}\n");
  world.start();
  const auto first = reply("a", "T1", 1);
  keep(world, first);  // as ingress does with the run's first commit
  const auto one = world.run_workflow("pair", JsonArray{first});
  CHECK(world.view(one).status == "waiting");
  const auto again = world.executor.run(world.engine->deliver(world.ctx(), "evt_a", Json(first)));
  REQUIRE(again.ok());
  CHECK(again->empty());
  pass(world, std::chrono::minutes(5));
  CHECK(world.view(one).status == "waiting");
  CHECK(send(world, reply("b", "T1", 2)) == one);
  CHECK(to_text(world.finish(one).output) == R"([{"number":2}])");
}

TEST_CASE("listen: a child and its branches are not given the event that started their parent") {
  World world;
  world.add_document(
      "document: {dsl: '1.0.3', namespace: test, name: ticket, version: '1.0.0'}\n"
      "do:\n"
      "  - second: {run: {workflow: {namespace: test, name: second, version: '1.0.0',\n"
      "             input: {ticket: '${ .[0].subject }'}}}}\n");
  world.add_document(
      "document: {dsl: '1.0.3', namespace: test, name: second, version: '1.0.0'}\n"
      "do:\n"
      "  - begin: {set: {ticket: '${ .ticket }'}, export: {as: .}}\n"
      "  - both: {fork: {branches: [{reply: {listen: {to: {one: {with: {type: reply, subject: '${ "
      "$context.ticket }'}}}}}}]}}\n");
  world.start();
  const auto first = reply("a", "T1", 1);
  keep(world, first);  // as ingress does with the parent's first commit
  const auto parent = world.run_workflow("ticket", JsonArray{first});
  pass(world, std::chrono::minutes(1));
  CHECK(world.view(parent).status == "waiting");
  CHECK_FALSE(send(world, reply("b", "T1", 2)).empty());
  CHECK(has(to_text(world.finish(parent).output), R"("number":2)"));
}

TEST_CASE("listen: runs of an older document get their events when the type starts a new one") {
  World world;
  world.add_document(listening(by_subject, ""));
  world.start();
  const auto one = world.run_workflow("listening", {{"ticket", "T1"}});
  world.replace_documents(
      {"document: {dsl: '1.0.3', namespace: test, name: fresh, version: '1.0.0'}\n"
       "schedule: {on: {one: {with: {type: reply}}}}\n"
       "do:\n  - a: {set: {x: 1}}\n"});
  for (int starts = 0; starts < 2; ++starts) {
    CAPTURE(starts);
    const auto listens = world.executor.run(world.engine->listens(world.ctx(), "reply"));
    REQUIRE(listens.ok());
    CHECK(*listens);
    CHECK_FALSE(world.executor.run(world.engine->listens(world.ctx(), "other")).value());
    world.crash();
    world.start();
  }
  CHECK(send(world, reply("a", "T1", 1)) == one);
  CHECK_FALSE(world.executor.run(world.engine->listens(world.ctx(), "reply")).value());
}

TEST_CASE("listen: a type is wanted where one starts a run, or any run waits for it") {
  World world;
  world.add_document(listening(by_subject, ""));
  world.start();
  const auto wanted = [&world](const std::string& type) {
    return world.executor.run(world.engine->wanted(world.ctx(), type)).value();
  };
  const auto one = world.run_workflow("listening", {{"ticket", "T1"}});
  CHECK(wanted("reply"));
  world.replace_documents(
      {"document: {dsl: '1.0.3', namespace: test, name: fresh, version: '1.0.0'}\n"
       "schedule: {on: {one: {with: {type: begin}}}}\n"
       "do:\n  - a: {set: {x: 1}}\n"});
  world.crash();
  world.start();
  CHECK(wanted("begin"));
  CHECK(wanted("reply"));  // the older document's run waits
  CHECK_FALSE(wanted("other"));
  CHECK(send(world, reply("a", "T1", 1)) == one);
  CHECK_FALSE(wanted("reply"));
}

TEST_CASE("listen: a run whose definition cannot be had holds up no younger one") {
  World world;
  world.add_document(listening("{with: {type: reply}}", ""));
  world.start();
  const auto one = world.run_workflow("listening", {{"ticket", "T1"}});
  StartRequest request;
  request.workflow = "listening";
  request.input = JsonObject{{"ticket", "T2"}};
  request.subject = "ann";
  const auto two = world.executor.run(world.engine->start(world.ctx(), std::move(request)));
  REQUIRE(two.ok());
  auto row = world.executor.run(world.store->stream(world.ctx(), store::StreamKind::run, one));
  REQUIRE(row.ok());
  store::Transition spoil;  // as a newer program may have left it
  spoil.tenant = default_tenant();
  spoil.epoch = world.store->epoch();
  store::StreamWrite write;
  write.kind = store::StreamKind::run;
  write.id = one;
  write.expected_version = row->version;
  write.state = store::Payload{"", std::string(1, '\x7f') + "{}"};
  write.status = "waiting";
  write.label = row->label;
  spoil.streams.push_back(std::move(write));
  REQUIRE(world.executor.run(world.store->commit(world.ctx(), std::move(spoil))).ok());
  world.crash();
  world.start();
  CHECK(send(world, reply("a", "T2", 1)) == *two);
}

TEST_CASE("listen: one run more than may wait for a type is told, and goes on when there is room") {
  World world;
  world.services.listeners_max = 2;
  world.add_document(listening(by_subject, ""));
  world.start();
  const auto one = world.run_workflow("listening", {{"ticket", "T1"}});
  const auto two = world.run_workflow("listening", {{"ticket", "T2"}});
  for (int starts = 0; starts < 2; ++starts) {
    const auto more = world.run_workflow("listening", {{"ticket", "T3"}});
    CHECK(world.finish(more).status == "faulted");
    CHECK(has(to_text(world.view(more).error), "AIOS-1080"));
    CHECK(has(to_text(world.view(more).error), "/do/1/reply"));
    world.crash();  // who waits is counted again
    world.start();
  }
  CHECK(send(world, reply("a", "T2", 1)) == two);
  const auto three = world.run_workflow("listening", {{"ticket", "T3"}});
  CHECK(world.view(three).status == "waiting");
  CHECK(world.view(one).status == "waiting");
}

TEST_CASE("listen: what is not supported is refused with its place") {
  CHECK(has(refused(listening("{with: {source: x}}", "")), "'type' is missing"));
  CHECK(has(refused(listening("{with: {type: '${ .x }'}}", "")), "AIOS-1002"));
  CHECK(has(refused(listening(by_subject, "      foreach: {item: x}\n")), "w.yaml:"));
  CHECK(has(refused(listening(by_subject, "        read: all\n")), "AIOS-1001"));
  CHECK(has(
      refused(listening("{with: {type: reply}, correlate: {t: {from: '${ $context.x }'}}}", "")),
      "AIOS-1005"));
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
#include "workflow/test/documents.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using test::document;
using test::has;
using test::World;

}  // namespace

TEST_CASE("engine: a run without effects is one commit, and its output is there when it returns") {
  World world;
  world.add_document(document("pure", R"(do:
  - a: {set: {n: '${ .n + 1 }'}}
  - b: {set: {n: '${ .n * 10 }'}}
  - c: {set: {n: '${ .n + 5 }', first: '${ $context.n }'}}
)"));
  world.start();
  world.run_workflow("pure", {{"n", 1}});
  const auto before = world.store->stats().sequence;
  const auto id = world.run_workflow("test/pure", {{"n", 2}});
  CHECK(world.store->stats().sequence == before + 1);
  const auto view = world.view(id);
  CHECK(view.status == "completed");
  CHECK(to_text(view.output) == R"({"n":35,"first":2})");
  CHECK(view.workflow == "test/pure");
  const auto history = world.executor.run(world.engine->history(world.ctx(), id));
  REQUIRE(history.ok());
  CHECK(has(to_text(*history), R"(["/do/0/a","/do/1/b","/do/2/c"])"));
}

TEST_CASE("engine: an input that breaks the schema starts nothing") {
  World world;
  world.add_document(document("strict", R"(input:
  schema: {format: json, document: {type: object, required: [n]}}
do:
  - a: {set: {n: 1}}
)"));
  world.start();
  world.run_workflow("strict", {{"n", 1}});
  const auto before = world.store->stats().sequence;
  StartRequest request;
  request.workflow = "strict";
  request.input = JsonObject{{"m", 1}};
  const auto started = world.executor.run(world.engine->start(world.ctx(), std::move(request)));
  REQUIRE_FALSE(started.ok());
  CHECK(started.error().code() == Code::invalid_argument);
  CHECK(started.error().page() == 1011);
  CHECK(world.store->stats().sequence == before);
}

TEST_CASE("engine: an unknown workflow is named with the nearest") {
  World world;
  world.add_document(document("known", "do:\n  - a: {set: {n: 1}}\n"));
  world.start();
  StartRequest request;
  request.workflow = "test/knwn";
  const auto started = world.executor.run(world.engine->start(world.ctx(), std::move(request)));
  REQUIRE_FALSE(started.ok());
  CHECK(started.error().code() == Code::not_found);
  CHECK(has(started.error().text(), "test/known"));
}

TEST_CASE(
    "engine: what comes with the start is in the same commit, and a taken key starts nothing") {
  World world;
  world.add_document(document("one", "do:\n  - a: {set: {n: 1}}\n"));
  world.start();
  const auto start = [&](const std::string& run_id) {
    StartRequest request;
    request.workflow = "one";
    request.run_id = run_id;
    request.with.keys.push_back({"event:test", "7", "digest", "evt_1"});
    return world.executor.run(world.engine->start(world.ctx(), std::move(request)));
  };
  CHECK(start("run_a").ok());
  const auto again = start("run_b");
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code() == Code::already_exists);
  const auto absent = world.executor.run(world.engine->get(world.ctx(), "run_b"));
  CHECK_FALSE(absent.ok());
}

TEST_CASE("engine: a wait survives a crash and does not end early") {
  World world;
  world.add_document(document("sleepy", R"(do:
  - sleep: {wait: {days: 1}}
  - done: {set: {slept: true}}
)"));
  world.start();
  const auto id = world.run_workflow("sleepy", JsonObject());
  CHECK(world.view(id).status == "waiting");
  const auto began = world.executor.clock().now();
  world.executor.advance(std::chrono::hours(3));
  world.crash();
  world.start();
  world.executor.advance(std::chrono::hours(20));
  CHECK(world.view(id).status == "waiting");
  const auto view = world.finish(id, std::chrono::hours(2));
  CHECK(view.status == "completed");
  CHECK(view.updated - began >= std::chrono::hours(24));
}

TEST_CASE("engine: a task's timeout interrupts a wait and can be caught") {
  World world;
  world.add_document(document("hasty", R"(do:
  - guarded:
      try:
        - long:
            timeout: {after: PT1S}
            wait: PT10M
      catch:
        errors: {with: {status: 408}}
        do:
          - late: {set: {late: '${ $error.type }', at: '${ $error.instance }'}}
)"));
  world.start();
  const auto view =
      world.finish(world.run_workflow("hasty", JsonObject()), std::chrono::seconds(5));
  CHECK(view.status == "completed");
  CHECK(text_or(view.output, "at", "") == "/do/0/guarded/try/0/long");
}

TEST_CASE("engine: the workflow's timeout faults the run") {
  World world;
  world.add_document(document("short", R"(timeout: {after: PT2S}
do:
  - guarded:
      try:
        - long: {wait: PT10M}
      catch: {}
)"));
  world.start();
  const auto view =
      world.finish(world.run_workflow("short", JsonObject()), std::chrono::seconds(5));
  CHECK(view.status == "faulted");
  CHECK(int_or(view.error, "status", 0) == 408);
}

TEST_CASE("engine: try retries by its policy, over a crash, then the handler runs") {
  World world;
  world.add_document(document("tries", R"(do:
  - guarded:
      try:
        - ask: {call: 'system:1.0.0@default', with: {class: key}}
      catch:
        retry:
          delay: PT1M
          backoff: {exponential: {}}
          limit: {attempt: {count: 3}}
        do:
          - given_up: {set: {given: up}}
)"));
  world.start();
  for (int i = 0; i < 4; ++i) {
    world.system.script.push_back(test::Behaviour::refuse);
  }
  const auto began = world.executor.clock().now();
  const auto id = world.run_workflow("tries", JsonObject());
  world.executor.advance(std::chrono::seconds(90));
  CHECK(world.system.requests == 2);
  world.crash();
  world.start();
  const auto view = world.finish(id);
  CHECK(view.status == "completed");
  CHECK(text_or(view.output, "given", "") == "up");
  CHECK(world.system.requests == 4);
  CHECK(view.updated - began >= std::chrono::minutes(7));
}

TEST_CASE(
    "engine: a caught error without a handler lets the run go on, an uncaught one faults it") {
  World world;
  world.add_document(document("caught", R"(do:
  - guarded:
      try:
        - broken: {raise: {error: {type: 'https://x/y', status: 418, title: Teapot}}}
      catch: {errors: {with: {status: 418}}}
  - after: {set: {ok: true}}
)"));
  world.add_document(document("uncaught", R"(do:
  - guarded:
      try:
        - broken: {raise: {error: {type: 'https://x/y', status: 418, title: Teapot}}}
      catch: {errors: {with: {status: 500}}}
  - after: {set: {ok: true}}
)"));
  world.start();
  CHECK(world.view(world.run_workflow("caught", JsonObject())).status == "completed");
  const auto view = world.view(world.run_workflow("uncaught", JsonObject()));
  CHECK(view.status == "faulted");
  CHECK(text_or(view.error, "instance", "") == "/do/0/guarded/try/0/broken");
  CHECK(text_or(view.error, "title", "") == "Teapot");
}

TEST_CASE("engine: a long loop is committed on the way, an endless one faults") {
  World world;
  world.add_document(document("loop", R"(do:
  - count: {set: {n: '${ .n + 1 }', most: '${ .most }'}}
  - again:
      switch:
        - more: {when: '${ .n < .most }', then: count}
        - enough: {then: end}
)"));
  world.add_document(document("endless", "do:\n  - a: {set: {n: 1}, then: a}\n"));
  world.start();
  const auto before = world.store->stats().sequence;
  const auto id = world.run_workflow("loop", {{"n", 0}, {"most", 5000}});
  const auto view = world.finish(id);
  CHECK(view.status == "completed");
  CHECK(int_or(view.output, "n", 0) == 5000);
  CHECK(world.store->stats().sequence - before > 9);
  const auto endless = world.run_workflow("endless", JsonObject());
  const auto ended = world.finish(endless);
  CHECK(ended.status == "faulted");
  CHECK(has(std::string(text_or(ended.error, "detail", "")), "AIOS-1031"));
}

TEST_CASE("engine: an emitted event is in the outbox with the run's own commit") {
  World world;
  world.add_document(document("tell", R"(do:
  - say: {emit: {event: {with: {type: a.b.v1, data: {n: '${ .n }'}}}}}
)"));
  world.start();
  const auto id = world.run_workflow("tell", {{"n", 4}});
  const auto rows = world.executor.run(world.store->outbox(world.ctx(), 0, 10));
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().topic == "event");
  CHECK(rows->front().ordering_key == id);
  CHECK(has(rows->front().data, R"("source":"/test/tell/1.0.0")"));
  CHECK(text_or(world.view(id).output, "specversion", "") == "1.0");
}

TEST_CASE("engine: what is no CloudEvent raises where it is emitted, and nothing leaves") {
  World world;
  world.add_document(document("tell", R"(do:
  - say: {emit: {event: {with: {type: a.b.v1, subject: '${ .who }', time: '${ .at }'}}}}
)"));
  world.start();
  const auto tell = [&](Json who, const char* at) {
    JsonObject input{{"who", std::move(who)}, {"at", at}};
    return world.view(world.run_workflow("tell", std::move(input)));
  };
  constexpr const char* good_time = "2026-01-02T03:04:05Z";
  for (const auto& view : {tell(nullptr, good_time), tell("", good_time), tell("ann", "now")}) {
    CHECK(view.status == "faulted");
    CHECK(has(std::string(text_or(view.error, "detail", "")), "AIOS-1038"));
  }
  CHECK(tell("ann", good_time).status == "completed");
  CHECK(world.executor.run(world.store->outbox(world.ctx(), 0, 10))->size() == 1);
}

TEST_CASE("engine: runs that start one another by events make no endless chain") {
  World world;
  world.add_document(document("tell", R"(do:
  - say: {emit: {event: {with: {type: a.b.v1, aioshops: 0}}}}
)"));
  world.start();
  const auto started_by = [&](Json hops) {
    JsonObject event{{"type", "a.b.v1"}, {"aioshops", std::move(hops)}};
    return world.view(world.run_workflow("tell", JsonArray{std::move(event)}));
  };
  CHECK(started_by(7).status == "completed");
  CHECK(started_by("many").status == "completed");
  const auto rows = world.executor.run(world.store->outbox(world.ctx(), 0, 10));
  REQUIRE(rows->size() == 2);
  CHECK(has(rows->at(0).data, R"("aioshops":8)"));
  CHECK(has(rows->at(1).data, R"("aioshops":1)"));
  const auto last = started_by(8);
  CHECK(last.status == "faulted");
  CHECK(has(std::string(text_or(last.error, "detail", "")), "AIOS-1033"));
}

TEST_CASE("engine: what the store cannot read now is not a run that is not there") {
  World world;
  world.add_document(document("idle", "do:\n  - rest: {wait: PT1H}\n"));
  world.start();
  const auto id = world.run_workflow("idle", JsonObject());
  CHECK(world.executor.run(world.engine->explain(world.ctx(), "run_no")).error().page() == 1012);
  REQUIRE(world.store->close().ok());
  const auto why = world.executor.run(world.engine->explain(world.ctx(), id));
  REQUIRE_FALSE(why.ok());
  CHECK(why.error().code() == Code::unavailable);
  CHECK(why.error().page() != 1012);
}

TEST_CASE("engine: a waiting run can be cancelled once, and says why it waits before") {
  World world;
  world.add_document(document("idle", "do:\n  - rest: {wait: PT1H}\n"));
  world.start();
  const auto id = world.run_workflow("idle", JsonObject());
  const auto why = world.executor.run(world.engine->explain(world.ctx(), id));
  REQUIRE(why.ok());
  CHECK(has(*why, "at: /do/0/rest (wait)"));
  CHECK(has(*why, "waits for: a time to pass"));
  CHECK(world.executor.run(world.engine->cancel(world.ctx(), id, "not needed")).ok());
  CHECK(world.view(id).status == "cancelled");
  CHECK(world.executor.run(world.engine->cancel(world.ctx(), id, "again")).ok());
  const auto done = world.run_workflow("idle", JsonObject());
  world.finish(done, std::chrono::hours(2));
  const auto late = world.executor.run(world.engine->cancel(world.ctx(), done, "late"));
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().page() == 1013);
}

TEST_CASE("engine: another tenant does not see a run") {
  World world;
  world.add_document(document("idle", "do:\n  - rest: {wait: PT1H}\n"));
  world.start();
  const auto id = world.run_workflow("idle", JsonObject());
  auto other = system_context(*TenantId::parse("other"), "test");
  CHECK_FALSE(world.executor.run(world.engine->get(other, id)).ok());
  const auto cancelled = world.executor.run(world.engine->cancel(other, id, "x"));
  REQUIRE_FALSE(cancelled.ok());
  CHECK(cancelled.error().code() == Code::not_found);
}

TEST_CASE("engine: a run keeps the definition it started with over a deployment and a crash") {
  World world;
  world.add_document(document("kept", "do:\n  - rest: {wait: PT1H}\n  - old: {set: {is: old}}\n"));
  world.start();
  const auto id = world.run_workflow("kept", JsonObject());
  world.crash();
  world.replace_documents({document("kept", "do:\n  - other: {set: {is: new}}\n")});
  world.start();
  CHECK(text_or(world.finish(id, std::chrono::hours(2)).output, "is", "") == "old");
  CHECK(text_or(world.view(world.run_workflow("kept", JsonObject())).output, "is", "") == "new");
}

TEST_CASE("engine: an installation replaces what can be started, also by an older version") {
  World world;
  world.start();
  const auto versioned = [](std::string_view name, std::string_view version) {
    return DefinitionFile{fmt::format("workflows/{}.yaml", name),
                          fmt::format("document: {{dsl: '1.0.3', namespace: test, name: {}, "
                                      "version: '{}'}}\n"
                                      "schedule: {{on: {{any: [{{with: {{type: a.{}.v1}}}}]}}}}\n"
                                      "do:\n  - rest: {{wait: PT1H}}\n"
                                      "  - is: {{set: {{is: '{}'}}}}\n",
                                      name, version, name, version)};
  };
  const auto install = [&](const std::vector<DefinitionFile>& files) {
    return world.engine->install(default_tenant(), files);
  };
  const auto start = [&](const std::string& name) {
    StartRequest request;
    request.workflow = name;
    return world.executor.run(world.engine->start(world.ctx(), std::move(request)));
  };
  CHECK(install({versioned("a", "2.0.0"), versioned("b", "1.0.0")}).empty());
  const auto old = start("a");
  REQUIRE(old.ok());
  REQUIRE(world.engine->triggered_by(default_tenant(), "a.b.v1").size() == 1);

  CHECK(install({versioned("a", "1.0.0")}).empty());
  REQUIRE(world.engine->definitions(default_tenant()).size() == 1);
  CHECK(world.engine->triggered_by(default_tenant(), "a.b.v1").empty());
  CHECK(start("b").error().code() == Code::not_found);
  const auto fresh = start("a");
  REQUIRE(fresh.ok());

  CHECK_FALSE(install({versioned("b", "1.0.0"), {"workflows/bad.yaml", "do: 7\n"}}).empty());
  CHECK(world.engine->definitions(default_tenant()).front().name == "a");
  CHECK(install({}).empty());
  CHECK(start("a").error().code() == Code::not_found);
  CHECK(text_or(world.finish(*old, std::chrono::hours(2)).output, "is", "") == "2.0.0");
  CHECK(text_or(world.finish(*fresh, std::chrono::hours(2)).output, "is", "") == "1.0.0");
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using test::Behaviour;
using test::World;

std::string document(std::string_view version, std::string_view rest) {
  return fmt::format("document: {{dsl: '1.0.3', namespace: test, name: one, version: '{}'}}\n{}",
                     version, rest);
}

struct Retry : World {
  explicit Retry(std::string_view rest) {
    add_document(document("1.0.0", rest));
    start();
  }
  /// Runs to its end, which must be a fault.
  std::string faulted(Json input = JsonObject()) {
    auto id = run_workflow("one", std::move(input));
    REQUIRE(finish(id).status == "faulted");
    return id;
  }
  /// The only version that is installed from now on.
  void now(std::string text) {
    REQUIRE(engine->install(default_tenant(), {{"one.yaml", std::move(text)}}).empty());
  }
  Result<void> retry(const std::string& id, RetryWith with = RetryWith::same_definition) {
    return executor.run(engine->retry(ctx(), id, with));
  }
  std::string history(const std::string& id) {
    return to_text(executor.run(engine->history(ctx(), id)).value());
  }
};

constexpr std::string_view two_calls = R"(do:
  - first: {call: 'system:1.0.0@default', with: {class: key, value: 1}}
  - second: {call: 'system:1.0.0@default', with: {class: key, value: 2}}
)";

bool says(const Result<void>& done, int page) { return !done.ok() && done.error().page() == page; }

Task<void> ask(Retry* world, std::string id, std::vector<Result<void>>* into) {
  auto done = co_await world->engine->retry(world->ctx(), id, RetryWith::same_definition);
  into->push_back(std::move(done));
}

}  // namespace

TEST_CASE("retry: a run goes on at the task that faulted, and what was done stays done") {
  Retry world(two_calls);
  world.system.script = {Behaviour::answer, Behaviour::refuse};
  const auto id = world.faulted();
  CHECK(world.system.done.size() == 1);
  REQUIRE(world.retry(id).ok());
  CHECK(world.finish(id).status == "completed");
  CHECK(world.view(id).error.is_null());
  CHECK(world.system.requests == 3);
  for (const auto& [effect, times] : world.system.done) {
    CHECK(times == 1);
  }
  const auto history = world.history(id);
  CHECK(test::has(history, R"("type":"retried")"));
  CHECK(test::has(history, R"("step":"/do/1/second")"));
  CHECK(history.find(R"("type":"faulted")") < history.find(R"("type":"retried")"));
  const auto leaves = world.executor.run(world.store->leaves(world.ctx(), 0, 100)).value();
  int told = 0;
  for (const auto& leaf : leaves) {
    told += test::has(leaf, R"("outcome":"retried")") && test::has(leaf, id) ? 1 : 0;
  }
  CHECK(told == 1);
}

TEST_CASE("retry: it is durable when it is answered, and goes on after a crash") {
  Retry world(
      "do:\n  - ask: {call: 'system:1.0.0@default', with: {class: key, value: 1}}\n"
      "  - rest: {wait: PT1H}\n");
  world.system.script = {Behaviour::refuse};
  const auto id = world.faulted();
  REQUIRE(world.retry(id).ok());
  world.crash();
  world.start();
  CHECK(world.finish(id, std::chrono::hours(3)).status == "completed");
  CHECK(world.system.done.size() == 1);
}

TEST_CASE("retry: a call that was done is not made again where only shaping its output failed") {
  Retry world(R"(do:
  - pay:
      call: 'system:1.0.0@default'
      with: {class: none, value: 1}
      output: {as: '${ .missing | error("wrong") }'}
  - tell: {set: {all: well}}
)");
  const auto id = world.faulted();
  CHECK(world.system.requests == 1);
  REQUIRE(world.retry(id).ok());
  CHECK(world.finish(id).status == "faulted");
  world.now(document("1.1.0", R"(do:
  - pay:
      call: 'system:1.0.0@default'
      with: {class: none, value: 1}
      output: {as: '${ {given: true} }'}
  - tell: {set: {all: '${ .given }'}}
)"));
  REQUIRE(world.retry(id, RetryWith::newest_definition).ok());
  const auto view = world.finish(id);
  CHECK(view.status == "completed");
  CHECK(view.version == "1.1.0");
  CHECK(to_text(view.output) == R"({"all":true})");
  CHECK(world.system.requests == 1);
}

TEST_CASE("retry: the newest version is refused where it differs before the place of the fault") {
  Retry world(two_calls);
  world.system.script = {Behaviour::answer, Behaviour::refuse};
  const auto id = world.faulted();
  world.now(document("1.1.0", R"(do:
  - other: {call: 'system:1.0.0@default', with: {class: key, value: 1}}
  - second: {call: 'system:1.0.0@default', with: {class: key, value: 2}}
)"));
  const auto refused = world.retry(id, RetryWith::newest_definition);
  REQUIRE(says(refused, 1092));
  CHECK(test::has(refused.error().text(), "has another task 'other' in the place of 'first'"));
  world.now(document("1.2.0", "do:\n  - first: {set: {a: 1}}\n"));
  CHECK(says(world.retry(id, RetryWith::newest_definition), 1092));
  CHECK(world.view(id).status == "faulted");
  CHECK(world.retry(id).ok());  // with its own
  CHECK(world.finish(id).version == "1.0.0");
}

TEST_CASE("retry: two who ask at once try it once, and only a faulted run is tried again") {
  Retry world(two_calls);
  world.system.script = {Behaviour::answer, Behaviour::refuse};
  const auto id = world.faulted();
  std::vector<Result<void>> said;
  runtime::TaskGroup group(world.executor);
  for (int i = 0; i < 2; ++i) {
    group.spawn(ask(&world, id, &said));
  }
  world.executor.run(group.join());
  CHECK(world.finish(id).status == "completed");
  REQUIRE(said.size() == 2);
  CHECK(said[0].ok() != said[1].ok());
  CHECK(says(said[0].ok() ? said[1] : said[0], 1090));
  CHECK(says(world.retry(id), 1090));
  CHECK(world.system.requests == 3);
  CHECK(says(world.retry("run_none"), 1012));
}

TEST_CASE("retry: a call that a person gave up without knowing is asked for by its class") {
  for (const std::string_view kind : {"key", "lookup"}) {
    CAPTURE(kind);
    Retry world(
        fmt::format("do:\n  - pay: {{call: 'system:1.0.0@default', with: {{class: {}, "
                    "value: 1}}}}\n",
                    kind));
    world.system.script = {Behaviour::lose_reply, Behaviour::refuse};
    world.system.lookup_fails = true;
    const auto id = world.run_workflow("one", JsonObject());
    world.executor.advance(std::chrono::hours(30));
    const auto waiting = world.view(id);
    REQUIRE_FALSE(waiting.incident.empty());
    Resolution fail{waiting.incident, "fail", Json()};
    REQUIRE(world.executor.run(world.engine->resolve_incident(world.ctx(), id, fail)).ok());
    REQUIRE(world.finish(id).status == "faulted");
    world.system.lookup_fails = false;
    world.system.script.clear();
    const int lookups = world.system.lookups;
    REQUIRE(world.retry(id).ok());
    CHECK(world.finish(id).status == "completed");
    CHECK(world.system.done.size() == 1);
    CHECK(world.system.done.begin()->second == 1);
    CHECK((kind == "key" || world.system.lookups > lookups));
  }
}

TEST_CASE("retry: a block that ran out of time goes on inside, with its time anew") {
  Retry world(R"(do:
  - all:
      timeout: {after: PT5M}
      do:
        - pay: {call: 'system:1.0.0@default', with: {class: none, value: 1}}
        - slow: {call: 'system:1.0.0@default', with: {class: key, value: 2}}
)");
  world.system.script = {Behaviour::answer};
  for (int i = 0; i < 400; ++i) {
    world.system.script.push_back(Behaviour::block);
  }
  const auto id = world.faulted();
  CHECK(test::has(world.history(id), "timeout"));
  world.system.script.clear();
  world.executor.advance(std::chrono::hours(1));
  REQUIRE(world.retry(id).ok());
  CHECK(world.finish(id).status == "completed");
  CHECK(world.system.done.size() == 2);
  for (const auto& [effect, times] : world.system.done) {
    CHECK(times == 1);
  }
}

TEST_CASE("retry: a task that faulted by itself after its parts had acted is not begun again") {
  Retry world(R"(do:
  - all:
      try:
        - pay: {call: 'system:1.0.0@default', with: {class: key, value: 1}}
      catch:
        do:
          - tell: {call: 'system:1.0.0@default', with: {class: key, value: 2}}
        then: end
      output: {as: '${ error("wrong") }'}
)");
  world.system.script = {Behaviour::refuse};
  const auto id = world.faulted();
  const auto refused = world.retry(id);
  REQUIRE(says(refused, 1093));
  CHECK(test::has(refused.error().text(), "/do/0/all faulted by itself"));
  CHECK(world.view(id).status == "faulted");
}

TEST_CASE(
    "retry: a run whose output did not fit ends with another version, and nothing is done twice") {
  Retry world(
      "do:\n  - pay: {call: 'system:1.0.0@default', with: {class: none, value: 1}}\n"
      "output: {as: '${ error(\"wrong\") }'}\n");
  const auto id = world.faulted();
  world.now(document("1.1.0",
                     "do:\n  - pay: {call: 'system:1.0.0@default', with: "
                     "{class: none, value: 1}}\noutput: {as: '${ {ok: 1} }'}\n"));
  REQUIRE(world.retry(id, RetryWith::newest_definition).ok());
  CHECK(to_text(world.finish(id).output) == R"({"ok":1})");
  CHECK(world.system.requests == 1);
}

TEST_CASE("retry: a fault before the first task begins the run again") {
  Retry world("input: {from: '${ error(\"wrong\") }'}\ndo:\n  - a: {set: {b: 1}}\n");
  const auto id = world.faulted();
  REQUIRE(world.retry(id).ok());
  CHECK(world.finish(id).status == "faulted");
}

TEST_CASE("retry: what was too large to keep, and what was erased, cannot be tried again") {
  Retry world(two_calls);
  world.system.script = {Behaviour::answer, Behaviour::refuse};
  const auto large = world.faulted(JsonObject{{"s", std::string(400'000, 'x')}});
  CHECK(says(world.retry(large), 1091));
  world.system.script = {Behaviour::answer, Behaviour::refuse};
  StartRequest request;
  request.workflow = "one";
  request.input = JsonObject();
  request.subject = "person-1";
  const auto id = world.executor.run(world.engine->start(world.ctx(), std::move(request))).value();
  REQUIRE(world.finish(id).status == "faulted");
  REQUIRE(world.executor.run(world.store->erase_subject(world.ctx(), "person-1")).ok());
  CHECK(says(world.retry(id), 1017));
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
// Runs of one ordering key act one after the other.
#include "workflow/detail/order.h"
#include "observe/log.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace aios::workflow {
namespace {

using test::Behaviour;
using test::World;

constexpr const char* two_calls = R"(
document: {dsl: '1.0.3', namespace: test, name: two, version: '1.0.0'}
do:
  - first: {call: 'system:1.0.0@default', with: {class: key}}
  - second: {call: 'system:1.0.0@default', with: {class: key}}
)";
constexpr const char* resting = R"(
document: {dsl: '1.0.3', namespace: test, name: rest, version: '1.0.0'}
do:
  - rest: {wait: PT10M}
)";
constexpr const char* hasty = R"(
document: {dsl: '1.0.3', namespace: test, name: hasty, version: '1.0.0'}
timeout: {after: PT1M}
do:
  - a: {set: {x: 1}}
)";
constexpr const char* unsure = R"(
document: {dsl: '1.0.3', namespace: test, name: unsure, version: '1.0.0'}
do:
  - a: {call: 'system:1.0.0@default', with: {class: none}}
)";

std::string start(World& world, const std::string& workflow, const std::string& key, int number) {
  StartRequest request;
  request.workflow = workflow;
  request.input = JsonObject{{"n", number}};
  request.order_key = key;
  auto started = world.executor.run(world.engine->start(world.ctx(), std::move(request)));
  REQUIRE(started.ok());
  return std::move(*started);
}

World& with(World& world) {
  for (const char* document : {two_calls, resting, hasty, unsure}) {
    world.add_document(document);
  }
  world.start();
  return world;
}

}  // namespace

TEST_CASE("order: a tenant that fills its lines holds up no other") {
  Order order;
  const TenantId crowd = TenantId::parse("crowd").value();
  const TenantId other = TenantId::parse("other").value();
  const TenantId late = TenantId::parse("late").value();
  int number = 0;
  const auto enter = [&](const TenantId& tenant) {
    ++number;
    return order.enter({tenant, "w", "key", fmt::format("run_{}", number), ""}, Time{number});
  };
  std::size_t taken = 0;
  while (taken <= Order::places_max && enter(crowd).ok()) {
    ++taken;
  }
  CHECK(taken == Order::tenant_max);
  CHECK(enter(crowd).error().retry() == Retry::same_call);
  std::size_t rest = 0;
  while (rest <= Order::places_max && enter(other).ok()) {
    ++rest;
  }
  CHECK(rest == Order::places_max - Order::tenant_max);
  std::size_t few = 0;
  while (few <= Order::places_max && enter(late).ok()) {
    ++few;
  }
  CHECK(few == Order::tenant_few);
  CHECK_FALSE(enter(crowd).ok());
  for (std::size_t run = 1; run <= Order::tenant_few + 1; ++run) {
    static_cast<void>(order.leave(fmt::format("run_{}", run)));
  }
  CHECK(enter(crowd).ok());
}

TEST_CASE("order: the second of a key waits for its turn, and other keys and workflows do not") {
  World world;
  with(world);
  const auto a = start(world, "rest", "ann", 1);
  const auto b = start(world, "rest", "ann", 2);
  const auto c = start(world, "rest", "bob", 3);
  const auto d = start(world, "hasty", "ann", 4);
  CHECK(world.view(b).waiting_for == "turn " + a);
  CHECK(world.view(c).waiting_for.starts_with("timer"));
  CHECK(world.view(d).status == "completed");
  const auto told = world.executor.run(world.engine->explain(world.ctx(), b));
  REQUIRE(told.ok());
  CHECK(test::has(*told, "its turn"));
  CHECK(test::has(*told, "aios explain " + a));
  world.executor.advance(std::chrono::minutes(11));
  CHECK(world.view(a).status == "completed");
  CHECK(world.view(b).waiting_for.starts_with("timer"));
  world.executor.advance(std::chrono::minutes(11));
  CHECK(world.view(b).status == "completed");
}

TEST_CASE("order: it outlives a power cut, and the next one goes on when the first has ended") {
  World world;
  with(world);
  const auto a = start(world, "rest", "ann", 1);
  const auto b = start(world, "rest", "ann", 2);
  world.crash();
  world.start();
  world.executor.advance(std::chrono::seconds(1));
  CHECK(world.view(b).waiting_for == "turn " + a);
  const auto c = start(world, "rest", "ann", 3);  // behind what was there before the cut
  CHECK(world.view(c).waiting_for == "turn " + b);
  world.executor.advance(std::chrono::minutes(10));
  CHECK(world.view(a).status == "completed");
  world.crash();
  world.start();
  world.executor.advance(std::chrono::seconds(1));
  CHECK(world.view(b).waiting_for.starts_with("timer"));
  CHECK(world.finish(c).status == "completed");
}

TEST_CASE("order: one that waits for a person lets the next go") {
  World world;
  with(world);
  world.system.script = {Behaviour::lose_reply};
  const auto a = start(world, "unsure", "ann", 1);
  const auto b = start(world, "unsure", "ann", 2);
  CHECK(world.finish(b).status == "completed");
  CHECK_FALSE(world.view(a).incident.empty());
}

TEST_CASE("order: who is cancelled in the line, or runs out of time there, holds up nobody") {
  World world;
  with(world);
  const auto a = start(world, "rest", "ann", 1);
  const auto b = start(world, "rest", "ann", 2);
  const auto c = start(world, "rest", "ann", 3);
  REQUIRE(world.executor.run(world.engine->cancel(world.ctx(), b, "no more")).ok());
  CHECK(world.view(c).waiting_for == "turn " + b);  // as it was when it was parked
  world.executor.advance(std::chrono::minutes(10) + std::chrono::seconds(1));
  CHECK(world.view(a).status == "completed");
  CHECK(world.view(c).waiting_for.starts_with("timer"));
}

TEST_CASE("order: a start that the store refuses leaves no place behind") {
  World world;
  with(world);
  const auto key = [](int number) {
    StartRequest request;
    request.workflow = "hasty";
    request.input = JsonObject();
    request.order_key = "ann";
    request.run_id = fmt::format("run_{}", number);
    request.with.keys.push_back({"event:x", "same", "digest", "v"});
    return request;
  };
  REQUIRE(world.executor.run(world.engine->start(world.ctx(), key(1))).ok());
  CHECK_FALSE(world.executor.run(world.engine->start(world.ctx(), key(2))).ok());
  CHECK(world.view(start(world, "hasty", "ann", 3)).status == "completed");
}

TEST_CASE("order: a run that is tried again goes to the end of its line, also over a power cut") {
  World world;
  with(world);
  world.system.script = {Behaviour::answer, Behaviour::refuse};
  const auto a = start(world, "two", "ann", 1);
  CHECK(world.finish(a).status == "faulted");
  for (int i = 0; i < 400; ++i) {
    world.system.script.push_back(Behaviour::block);
  }
  const auto b = start(world, "two", "ann", 2);
  REQUIRE(world.executor.run(world.engine->retry(world.ctx(), a, RetryWith::same_definition)).ok());
  const auto c = start(world, "two", "ann", 3);
  for (int starts = 0; starts < 2; ++starts) {
    CAPTURE(starts);
    world.executor.advance(std::chrono::minutes(1));
    CHECK(world.view(b).status == "waiting");
    CHECK(world.view(a).waiting_for == "turn " + b);
    CHECK(world.view(c).waiting_for == "turn " + a);
    world.crash();
    world.start();
  }
  world.system.script.clear();
  CHECK(world.finish(c).status == "completed");
  CHECK(world.view(a).status == "completed");
  CHECK(world.view(a).updated <= world.view(c).updated);
  CHECK(world.view(b).updated <= world.view(a).updated);
  CHECK(world.finish(start(world, "two", "ann", 4)).status == "completed");  // the line is empty
  for (const auto& [effect, times] : world.system.done) {
    CHECK(times == 1);
  }
}

TEST_CASE("order: a run in the line that cannot be read is looked at again, and told of") {
  World world;
  with(world);
  std::vector<std::string> lines;
  observe::Log log([&lines](std::string_view line) { lines.emplace_back(line); });
  world.services.log = &log;
  world.crash();
  world.start();
  const auto a = start(world, "rest", "ann", 1);
  const auto b = start(world, "rest", "ann", 2);
  const auto row =
      world.executor.run(world.store->stream(world.ctx(), store::StreamKind::run, b)).value();
  store::Transition spoil;  // as a newer program may have left it
  spoil.tenant = default_tenant();
  spoil.epoch = world.store->epoch();
  store::StreamWrite write;
  write.kind = store::StreamKind::run;
  write.id = b;
  write.expected_version = row.version;
  write.state = store::Payload{"", std::string(1, '\x7f') + "{}"};
  write.status = "waiting";
  write.label = row.label;
  spoil.streams.push_back(write);
  REQUIRE(world.executor.run(world.store->commit(world.ctx(), std::move(spoil))).ok());
  world.crash();
  world.start();
  lines.clear();
  world.executor.advance(std::chrono::minutes(11));
  CHECK(world.view(a).status == "completed");
  const auto told = [&lines] {
    int count = 0;
    for (const auto& line : lines) {
      count += test::has(line, "AIOS-1030") ? 1 : 0;
    }
    return count;
  };
  CHECK(told() == 1);
  write.expected_version = row.version + 1;
  write.state = store::Payload{"", row.state};
  store::Transition mend;
  mend.tenant = default_tenant();
  mend.epoch = world.store->epoch();
  mend.streams.push_back(std::move(write));
  REQUIRE(world.executor.run(world.store->commit(world.ctx(), std::move(mend))).ok());
  world.executor.advance(std::chrono::minutes(75));
  CHECK(world.view(b).status == "completed");
}

TEST_CASE("order: a thousand events of fifty keys, with kills and a system that fails, in order") {
  constexpr int events = 1'000;
  constexpr int keys = 50;
  World world(7);
  with(world);
  std::uint64_t dice = 1;
  world.system.latency = std::chrono::milliseconds(40);
  world.system.chooser = [&dice] {
    dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
    switch ((dice >> 33) % 10) {
      case 0: return Behaviour::fail_before;
      case 1: return Behaviour::lose_reply;
      case 2: return Behaviour::drop;
      default: return Behaviour::answer;
    }
  };
  std::map<int, std::vector<std::string>> by_key;
  for (int i = 0; i < events; ++i) {
    by_key[i % keys].push_back(start(world, "two", fmt::format("k{}", i % keys), i));
    if (i == 400 || i == 800) {
      world.crash();
      world.start();
    }
  }
  for (int round = 0; round < 20; ++round) {
    world.executor.advance(std::chrono::seconds(20));
    if (round == 3) {
      world.crash();
      world.start();
    }
  }
  world.executor.advance(std::chrono::hours(2));
  int out_of_order = 0;
  int open = 0;
  for (const auto& [key, runs] : by_key) {
    Time free{0};  // when the one before had ended
    for (const auto& id : runs) {
      const auto history =
          world.executor.run(world.store->history(world.ctx(), store::StreamKind::run, id));
      REQUIRE(history.ok());
      REQUIRE_FALSE(history->empty());
      const auto view = world.view(id);
      open += view.status == "running" || view.status == "waiting" ? 1 : 0;
      for (const auto& row : *history) {
        const bool effect = row.type == 3;  // effect_intended
        out_of_order += effect && row.time < free ? 1 : 0;
      }
      free = history->back().time;
    }
  }
  CHECK(open == 0);
  CHECK(out_of_order == 0);
  CHECK(world.system.done.size() >= 2 * events - 200);
  for (const auto& [effect, times] : world.system.done) {
    CHECK(times == 1);
  }
}

}  // namespace aios::workflow

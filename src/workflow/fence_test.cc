// SPDX-License-Identifier: Apache-2.0
// What one commit can hold: a run that does not fit faults before anything leaves, and a loop that
// collects a lot is committed on the way.
#include "workflow/test/documents.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using test::document;
using test::World;

constexpr std::string_view grow =
    "  - grow: {set: {s: '${ .s + .s + .s + .s + .s + .s + .s + .s + .s + .s }'}}\n";

JsonObject large() { return {{"s", std::string(300'000, 'x')}}; }

bool is_1032(const RunView& view) {
  return std::string(text_or(view.error, "detail", "")).find("AIOS-1032") != std::string::npos;
}

/// Runs the document alone, to its end.
void complete(World& world, std::string_view name, std::string_view rest, JsonObject input) {
  world.add_document(document(name, rest));
  world.start();
  const auto id = world.run_workflow(std::string(name), std::move(input));
  CHECK(world.finish(id).status == "completed");
}

/// One leaf for the run besides the one of its start, and it says what the run says.
void check_leaf(World& world, const std::string& run_id, std::string_view outcome) {
  const auto leaves = world.executor.run(world.store->leaves(world.ctx(), 0, 1'000));
  REQUIRE(leaves.ok());
  int found = 0;
  for (const auto& leaf : *leaves) {
    if (leaf.find(run_id) != std::string::npos &&
        leaf.find(R"("outcome":"started")") == std::string::npos) {
      ++found;
      CHECK(leaf.find(outcome) != std::string::npos);
    }
  }
  CHECK(found == 1);
}

}  // namespace

TEST_CASE("fence: a run too large to be parked, sent or kept as an output faults and is told of") {
  const std::vector<std::string> ends{
      "  - rest: {wait: PT10H}\n",
      "  - ask: {call: 'system:1.0.0@default', with: {class: key, value: 7}}\n", ""};
  for (const auto& end : ends) {
    CAPTURE(end);
    World world;
    world.add_document(document("big", fmt::format("do:\n{}{}", grow, end)));
    world.start();
    const auto id = world.run_workflow("big", large());
    const auto view = world.finish(id, std::chrono::seconds(5));
    CHECK(view.status == "faulted");
    CHECK(is_1032(view));
    CHECK(view.output.is_null());
    CHECK(world.system.requests == 0);
    check_leaf(world, id, "faulted");
  }
}

TEST_CASE("fence: who waits is told when a run grows too large after its first fence") {
  World world;
  world.add_document(document(
      "later", fmt::format("do:\n  - rest: {{wait: PT1M}}\n{}  - more: {{wait: PT10H}}\n", grow)));
  world.start();
  const auto id = world.run_workflow("later", large());
  CHECK(world.view(id).status == "waiting");
  auto limited = world.ctx().until(world.executor.clock().instant() + std::chrono::minutes(2));
  const auto ended = world.executor.run(world.engine->wait(limited, id));
  REQUIRE(ended.ok());
  CHECK(ended->status == "faulted");
  CHECK(is_1032(*ended));
}

TEST_CASE("fence: a run below the bound is kept") {
  World world;
  complete(world, "fits", "do:\n  - rest: {wait: PT1M}\n", large());
}

TEST_CASE("fence: 300 events from a loop are all in the outbox, once each and in order") {
  World world;
  complete(world, "tell", R"(do:
  - say:
      emit: {event: {with: {type: a.b.v1, data: {n: '${ .n }'}}}}
      output: {as: '${ {n: (.data.n + 1)} }'}
  - again:
      switch:
        - more: {when: '${ .n < 300 }', then: say}
        - enough: {then: end}
)",
           {{"n", 0}});
  const auto rows = world.executor.run(world.store->outbox(world.ctx(), 0, 250));
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 250);
  CHECK(rows->at(249).data.find(R"("n":249)") != std::string::npos);
  const auto rest = world.executor.run(world.store->outbox(world.ctx(), rows->back().id, 250));
  REQUIRE(rest.ok());
  CHECK(rest->size() == 50);
}

TEST_CASE("fence: 300 local calls in a loop are committed on the way, each with its leaves") {
  World world;
  complete(world, "ask", R"(do:
  - ask:
      call: 'system:1.0.0@default'
      with: {class: local, value: '${ .value }'}
      output: {as: '${ {value: (.value + 1)} }'}
  - again:
      switch:
        - more: {when: '${ .value < 300 }', then: ask}
        - enough: {then: end}
)",
           {{"value", 0}});
  CHECK(world.system.requests == 300);
  const auto leaves = world.executor.run(world.store->leaves(world.ctx(), 0, 1'000));
  REQUIRE(leaves.ok());
  CHECK(leaves->size() == 602);
}

TEST_CASE(
    "fence: an event that no commit can hold faults the run instead of being tried for ever") {
  World world;
  world.add_document(document("shout", fmt::format(R"(do:
  - rest: {{wait: PT1M}}
{}  - again: {{set: {{s: '${{ .s + .s + .s + .s + .s + .s + .s + .s + .s + .s }}'}}}}
  - say: {{emit: {{event: {{with: {{type: a.b.v1, data: '${{ . }}'}}}}}}}}
  - small: {{set: {{n: 1}}}}
  - more: {{wait: PT10H}}
)",
                                                   grow)));
  world.start();
  const auto id = world.run_workflow("shout", {{"s", std::string(25'000, 'x')}});
  const auto view = world.finish(id, std::chrono::minutes(2));
  CHECK(view.status == "faulted");
  CHECK(is_1032(view));
  const auto rows = world.executor.run(world.store->outbox(world.ctx(), 0, 10));
  REQUIRE(rows.ok());
  CHECK(rows->empty());
  check_leaf(world, id, "faulted");
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
// What a run remembers for the guard is bounded, and no member of its state is forgotten where all
// of them matter.
#include "workflow/detail/definition.h"
#include "workflow/detail/state.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using test::World;

/// A look into an archive that finds as many bytes as it is asked for.
class Archive final : public Function {
 public:
  Result<CallPlan> plan(const Context& /*ctx*/, const CallRequest& /*request*/) override {
    return CallPlan();
  }
  Task<CallOutcome> perform(Context /*ctx*/, PreparedCall /*prepared*/,
                            CallRequest request) override {
    const auto bytes = static_cast<std::size_t>(int_or(request.arguments, "bytes", 0));
    CallOutcome out;
    out.result = JsonObject{{"forgotten", int_or(request.run, "results_forgotten", -1)}};
    out.connector_result = {
        {"connector", "archive"}, {"operation", "fetch"}, {"result", std::string(bytes, 'a')}};
    out.retrieval = {{"corpus", "articles"}, {"articles", std::string(bytes, 'a')}};
    co_return out;
  }
};

std::unique_ptr<World> world_of(std::string tasks) {
  auto world = std::make_unique<World>();
  FunctionEntry entry;
  entry.name = "archive";
  entry.version = "1.0.0";
  entry.summary = "Finds much.";
  entry.arguments_schema = R"({"type": "object"})";
  entry.result_schema = "{}";
  entry.make = [](const FunctionServices&) -> std::unique_ptr<Function> {
    return std::make_unique<Archive>();
  };
  world->registry.add(std::move(entry));
  world->add_document(
      "document: {dsl: '1.0.3', namespace: test, name: much, version: '1.0.0'}\ndo:\n" + tasks);
  world->start();
  return world;
}

std::string look(int number, int bytes) {
  return fmt::format("  - look{}: {{call: 'archive:1.0.0@default', with: {{bytes: {}}}}}\n", number,
                     bytes);
}

/// A value that differs from what a fresh state has, and from every other of them.
Json mark(int number) { return JsonObject{{"mark", number}}; }

RunState full_state() {
  RunState out;
  // One name a member: a new member does not compile here until it is seen to below.
  auto& [workflow, version, digest, blob, subject, traceparent, starter, labels, status, created,
         deadline, callback, order_key, raw_input, input, context, frames, inferences, retrievals,
         results, reviews, results_forgotten, open_effects, costs, held, steps, effects, effect,
         waiting, parent, children, left, children_started, from_backup, cancel_asked,
         cancel_reason, ends_as, output, error, faulted_at, attributes, indexed] = out;
  workflow = "w";
  version = "v";
  digest = "d";
  blob = "b";
  subject = "s";
  traceparent = "t";
  starter = "p";
  labels = 3;
  status = RunStatus::waiting;
  created = Time{1};
  deadline = Time{2};
  callback = mark(15);
  raw_input = mark(1);
  input = mark(2);
  context = mark(3);
  frames = {};  // they need a definition: every test of a crash goes through them
  inferences = {mark(4)};
  retrievals = {mark(5)};
  results = {mark(11)};
  results_forgotten = 12;
  reviews = {mark(6)};
  parent = ParentState{"run_p", "/do/0/f", "left", "/do/0/f/fork/branches/0", false, 3, 4, "run_i",
                       Time{5}, "e-1",     "/shop"};
  children = ChildrenState{{{"run_c", "right"}}, true, true};
  left = ChildrenState{{{"run_l", "", 16, {mark(17)}, true}}, false, false, true, true};
  order_key = "k";
  children_started = 6;
  open_effects = OpenEffects::from_json({{"/do/0", "eff"}});
  costs = {{"EUR", 13, true}};
  held = {{"eff", {"EUR", 14, {"EUR/tenant/2026-11-21"}}}};
  steps = 7;
  effects = 8;
  effect.emplace();
  effect->id = "eff";
  effect->lookups = 2;
  effect->maybe_happened = true;
  effect->sent_at = Time{3};
  waiting.emplace();
  waiting->reason = Waiting::Reason::incident;
  waiting->subject = "inc";
  from_backup = true;
  cancel_asked = true;
  cancel_reason = "r";
  ends_as = RunStatus::faulted;
  output = mark(9);
  error = mark(10);
  faulted_at = Time{4};
  attributes = {{"intent", "refund"}};
  indexed = {"intent\x1fsrefund"};
  return out;
}

}  // namespace

TEST_CASE("memory: what children learned is their parent's once, also when it is tried again") {
  const auto world = world_of(
      "  - both:\n"
      "      fork:\n"
      "        branches:\n"
      "          - left:\n"
      "              do:\n"
      "                - look: {call: 'archive:1.0.0@default', with: {bytes: 1}}\n"
      "                - bad: {raise: {error: {type: 'https://example.com/x', status: 400, title: "
      "x}}}\n"
      "          - right: {call: 'archive:1.0.0@default', with: {bytes: 2}}\n");
  const auto id = world->run_workflow("much", JsonObject());
  for (int tries = 0; tries < 3; ++tries) {
    CAPTURE(tries);
    const auto view = world->finish(id);
    REQUIRE(view.status == "faulted");
    CHECK(view.retrievals.get_array().size() == 2);
    const auto again =
        world->executor.run(world->engine->retry(world->ctx(), id, RetryWith::same_definition));
    REQUIRE(again.ok());
  }
}

TEST_CASE("memory: every member of a run's state is saved and loaded") {
  const Definition definition;
  const auto state = full_state();
  const auto bytes = encode_state(state, &definition);
  const auto loaded = decode_state(bytes);
  REQUIRE(loaded.ok());
  CHECK(encode_state(*loaded, &definition) == bytes);
  const auto written = to_text(parse_json(bytes.substr(1)).value());
  const auto empty = encode_state(RunState(), &definition);
  const auto members = parse_json(bytes.substr(1)).value().get_object().size();
  CHECK(members == 42);  // one a member of RunState
  CHECK(parse_json(empty.substr(1)).value().get_object().size() < members);
}

TEST_CASE("memory: a governance memory keeps the newest, by number and by bytes") {
  JsonArray memory;
  std::size_t forgotten = 0;
  for (int i = 0; i < 300; ++i) {
    forgotten += remember(memory, {{"number", i}});
  }
  CHECK(forgotten == 300 - memory_max);
  CHECK(memory.size() == memory_max);
  CHECK(int_or(memory.back(), "number", 0) == 299);
  for (int i = 0; i < 9; ++i) {
    remember(memory, {{"number", i}, {"text", std::string(60'000, 'a')}});
  }
  CHECK(memory.size() == 4);
  CHECK(int_or(memory.front(), "number", 0) == 5);
  remember(memory, {{"number", 7}, {"text", std::string(memory_bytes_max, 'a')}});
  CHECK(int_or(memory.back(), "number", 0) == 7);
  CHECK(find(memory.back(), "text")->is_null());
  CHECK(bool_or(memory.back(), "too_large", false));
  CHECK(to_text(Json(memory)).size() <= memory_bytes_max + 1'000);
}

TEST_CASE("memory: forgetting leaves none of the memories") {
  auto state = full_state();
  forget_memory(state);
  CHECK(state.inferences.empty());
  CHECK(state.retrievals.empty());
  CHECK(state.results.empty());
  CHECK(state.reviews.empty());
}

TEST_CASE("memory: a run that looks much up goes on, and shows what the guard is told") {
  std::string tasks;
  for (int i = 0; i < 40; ++i) {
    tasks += look(i, 200'000);
  }
  const auto world = world_of(tasks);
  const auto view = world->finish(world->run_workflow("much", JsonObject()));
  CHECK(view.status == "completed");
  REQUIRE(view.retrievals.is_array());
  CHECK(view.retrievals.get_array().size() == 1);
  CHECK(to_text(view.to_json()).find(R"("corpus":"articles")") != std::string::npos);
  CHECK(int_or(view.output, "forgotten", 0) == 38);  // of the 39 before the last, one is there
}

TEST_CASE("memory: a run that is too large to be saved ends as faulted, whatever it remembers") {
  const auto world = world_of(look(0, 200'000) +
                              "  - grow: {set: {text: '${ \"a\" * 3500000 }'}}\n"
                              "  - rest: {wait: PT1S}\n");
  const auto view = world->finish(world->run_workflow("much", JsonObject()));
  CHECK(view.status == "faulted");
  CHECK(to_text(view.error).find("AIOS-1032") != std::string::npos);
  CHECK(view.retrievals.get_array().empty());
}

}  // namespace aios::workflow

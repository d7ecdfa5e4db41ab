// SPDX-License-Identifier: Apache-2.0
// Lists of runs: what is read of a state, how many are read at once, and what others do meanwhile.
#include "workflow/detail/views.h"

#include "runtime/task_group.h"
#include "workflow/detail/definition.h"
#include "workflow/detail/list_turns.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using test::World;

RunState some_state() {
  RunState state;
  state.workflow = "t/w";
  state.version = "1.0.0";
  state.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  state.status = RunStatus::waiting;
  state.created = Time{1'790'000'000'000'000'000};
  state.raw_input = JsonObject{{"a", R"(quote " brace } bracket ] backslash \ comma ,)"},
                               {"steps", 99},
                               {"nested", JsonArray{1, JsonObject{{"waiting", "no"}}, "\\\""}}};
  state.inferences.push_back(JsonObject{{"label", "x"}});
  state.steps = 7;
  state.waiting.emplace();
  state.waiting->reason = Waiting::Reason::blocked;
  state.waiting->error = R"(said "no", while asking  [AIOS-0903])";
  state.error = JsonObject{{"detail", "}{"}};
  return state;
}

TEST_CASE("views: the head of a state is what the whole says, without its data") {
  const Definition definition;
  const auto bytes = encode_state(some_state(), &definition);
  const auto whole = decode_state(bytes);
  const auto head = decode_head(bytes);
  REQUIRE(whole.ok());
  CAPTURE(head.ok() ? "" : head.error().text());
  REQUIRE(head.ok());
  CHECK(head->workflow == whole->workflow);
  CHECK(head->version == whole->version);
  CHECK(head->traceparent == whole->traceparent);
  CHECK(head->status == whole->status);
  CHECK(head->created == whole->created);
  CHECK(head->steps == 7);
  REQUIRE(head->waiting);
  CHECK(head->waiting->error == whole->waiting->error);
  CHECK(head->error == whole->error);
  CHECK(head->raw_input.is_null());
  CHECK(head->inferences.empty());
}

TEST_CASE("views: a state that is cut anywhere is an error and not a run") {
  const Definition definition;
  const auto bytes = encode_state(some_state(), &definition);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(decode_head(std::string_view(bytes).substr(0, size)).ok());
  }
  CHECK_FALSE(decode_head(bytes + "}").ok());
  CHECK(decode_head("\x07{}").error().page() == 1030);
}

TEST_CASE("views: a number that no program wrote is an error and not a run that is under way") {
  const Definition definition;
  auto state = some_state();
  state.effect.emplace();
  const auto bytes = encode_state(state, &definition);
  REQUIRE(decode_state(bytes).ok());
  for (const std::string member : {R"("status":)", R"("reason":)", R"("phase":)"}) {
    for (const auto* wrong : {"9", "-1", "300", "\"x\""}) {
      CAPTURE(member);
      CAPTURE(wrong);
      auto damaged = bytes;
      const auto at = damaged.find(member);
      REQUIRE(at != std::string::npos);
      damaged.replace(at + member.size(), 1, wrong);
      const auto read = decode_state(damaged);
      REQUIRE_FALSE(read.ok());
      CHECK(read.error().code() == Code::data_loss);
      CHECK(read.error().page() == 1034);
    }
  }
}

TEST_CASE("views: only a page at the end of a text is one") {
  CHECK(page_of("no answer  [AIOS-0412]") == "AIOS-0412");
  CHECK(page_of("[AIOS-0412]") == "AIOS-0412");
  for (const auto* text : {"", "[AIOS-04]", "[AIOS-0412] more", "[AIOS-04x2]", "AIOS-0412"}) {
    CAPTURE(text);
    CHECK(page_of(text).empty());
  }
}

struct Taker {
  std::shared_ptr<CancelState> cancel = std::make_shared<CancelState>();
  bool done = false;
  bool taken = false;
};

Task<void> take(ListTurns* turns, Taker* taker) {
  Context ctx;
  ctx.cancel = taker->cancel;
  auto taken = co_await turns->take(ctx);
  taker->done = true;
  taker->taken = taken.ok();
}

TEST_CASE("lists: a few at once, the others in their order, and who goes away takes no turn") {
  runtime::SimExecutor loop;
  runtime::TaskGroup group(loop);
  ListTurns turns;
  std::vector<Taker> takers(ListTurns::at_once_max + 3);
  for (auto& taker : takers) {
    group.spawn(take(&turns, &taker));
  }
  loop.advance(std::chrono::milliseconds(1));
  auto* late = &takers[ListTurns::at_once_max];
  CHECK(takers[ListTurns::at_once_max - 1].taken);
  CHECK_FALSE(late[0].done);
  late[0].cancel->cancel();
  loop.advance(std::chrono::milliseconds(1));
  CHECK(late[0].done);
  CHECK_FALSE(late[0].taken);
  turns.give_back();
  loop.advance(std::chrono::milliseconds(1));
  CHECK(late[1].taken);
  CHECK_FALSE(late[2].done);
  turns.give_back();
  loop.advance(std::chrono::milliseconds(1));
  CHECK(late[2].taken);
  loop.run(group.join());
}

Task<void> count_turns(const bool* done, int* turns) {
  while (!*done) {
    ++*turns;
    co_await runtime::yield();
  }
}

Task<void> list_all(World* world, bool* done, RunPage* out) {
  store::ListQuery query;
  query.limit = 1'000;
  auto page = co_await world->engine->list(world->ctx(), query, Shown::all);
  *done = true;
  if (page.ok()) {
    *out = std::move(*page);
  }
}

TEST_CASE("lists: others have their turn while a long page is read") {
  World world;
  world.add_document(
      "document: {dsl: '1.0.3', namespace: test, name: keep, version: '1.0.0'}\n"
      "do:\n  - keep: {set: {v: '${ .v }'}}\n");
  world.start();
  for (int i = 0; i < 100; ++i) {
    world.finish(world.run_workflow("keep", JsonObject{{"v", i}}));
  }
  bool done = false;
  int turns = 0;
  RunPage page;
  runtime::TaskGroup group(world.executor);
  group.spawn(list_all(&world, &done, &page));
  group.spawn(count_turns(&done, &turns));
  world.executor.run(group.join());
  CHECK(page.runs.size() == 100);
  CHECK_FALSE(page.more);
  CHECK(turns >= 5);
}

TEST_CASE("lists: a page of large runs ends early and goes on behind its last one") {
  World world;
  world.add_document(
      "document: {dsl: '1.0.3', namespace: test, name: keep, version: '1.0.0'}\n"
      "do:\n  - keep: {set: {}}\n");
  world.start();
  const JsonObject large{{"text", std::string(900'000, 'x')}};
  for (int i = 0; i < 20; ++i) {
    world.finish(world.run_workflow("keep", large));
  }
  store::ListQuery query;
  query.limit = 1'000;
  const auto first = world.executor.run(world.engine->list(world.ctx(), query, Shown::all));
  REQUIRE(first.ok());
  CHECK(first->more);
  CHECK(first->runs.size() < 20);
  query.after = first->runs.back().id;
  const auto rest = world.executor.run(world.engine->list(world.ctx(), query, Shown::all));
  REQUIRE(rest.ok());
  CHECK_FALSE(rest->more);
  CHECK(first->runs.size() + rest->runs.size() == 20);
  query.after.clear();
  const auto heads = world.executor.run(world.engine->list(world.ctx(), query, Shown::clear));
  REQUIRE(heads.ok());
  CHECK(heads->runs.size() == 20);
}

}  // namespace
}  // namespace aios::workflow

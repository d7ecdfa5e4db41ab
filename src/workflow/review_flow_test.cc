// SPDX-License-Identifier: Apache-2.0
// A question to a person, from the parked run to its answer, over a crash.
#include "core/text.h"
#include "govern/merkle.h"
#include "govern/opening.h"
#include "runtime/sim_wall.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace aios::workflow {

void register_function_review(FunctionRegistry& registry);

namespace {

constexpr const char* policy = R"(package aios.review_assign
import rego.v1
default allow := false
allow if { every role in input.review.assignees { role in {"reviewer", "approver"} } }
obligations contains {"type": "approve", "assignees": ["approver"]} if {
  input.review.phase == "answer"
  input.review.answer.note == "large"
}
deny contains "not this one" if object.get(input.review, ["answer", "note"], "") == "forbidden"
)";

constexpr const char* slow = R"(
document: {dsl: '1.0.3', namespace: test, name: slow, version: '1.0.0'}
do:
  - guarded:
      try:
        - ask:
            call: review:1.0.0@default
            with:
              title: Slow
              form: ticket
              evidence: {}
              assignees: [reviewer]
              due: PT2H
              onTimeout: '${ .on_timeout }'
              escalation: [{after: PT1H, assignees: [approver]}]
      catch:
        errors: {with: {status: 408}}
        do: [{late: {set: {late: true}}}]
)";

constexpr const char* watch = R"(
document: {dsl: '1.0.3', namespace: test, name: watch, version: '1.0.0'}
schedule: {on: {one: {with: {type: aios.review.overdue}}}}
do:
  - note: {set: {seen: true}}
)";

constexpr const char* listener = R"(
document: {dsl: '1.0.3', namespace: test, name: listener, version: '1.0.0'}
do:
  - late: {listen: {to: {one: {with: {type: aios.review.overdue}}}}}
)";

constexpr const char* form = R"({"type": "object", "x-label": "intent",
  "required": ["intent"], "additionalProperties": false,
  "properties": {"intent": {"enum": ["refund", "delivery"]}, "note": {"type": "string"}}})";

constexpr const char* document = R"(
document: {dsl: '1.0.3', namespace: test, name: ask, version: '1.0.0'}
do:
  - ask:
      call: review:1.0.0@default
      with:
        title: Which intent?
        form: ticket
        evidence: {text: '${ .text }'}
        suggestion: {intent: refund}
        assignees: ['${ .role }']
        dataset: intents
  - note: {set: {intent: '${ .answer.intent }', by: '${ .by }', corrected: '${ .corrected }'}}
)";

constexpr const char* hasty = R"(
document: {dsl: '1.0.3', namespace: test, name: hasty, version: '1.0.0'}
do:
  - guarded:
      try:
        - ask:
            timeout: {after: PT1H}
            call: review:1.0.0@default
            with: {title: Quick, form: ticket, evidence: {}, assignees: [reviewer]}
      catch:
        errors: {with: {status: 408}}
        do: [{late: {set: {late: true}}}]
)";

struct Desk {
  Desk() {
    REQUIRE(world.guard.load(default_tenant(), {{"r.rego", policy}}, JsonObject()).ok());
    register_function_review(world.registry);
    world.with_reviews = true;
    world.services.functions.form = [](const TenantId&, std::string_view) -> Result<Json> {
      return *parse_json(form);
    };
    world.add_document(document);
    world.add_document(hasty);
    world.add_document(slow);
    world.add_document(watch);
    world.start();
  }
  std::string open_review() {
    auto all =
        world.executor.run(world.services.functions.reviews->list(world.ctx(), "open", "", 10));
    REQUIRE(all.ok());
    return all->empty() ? "" : all->front().id;
  }
  Result<void> answer(const std::string& review, const std::string& role, Json value) {
    auto ctx = world.ctx();
    ctx.principal = std::make_shared<const Principal>(Principal{"key_anna", "key", {role}});
    return world.executor.run(world.engine->answer(ctx, review, std::move(value)));
  }
  test::World world;
};

Task<void> start_ask(Engine& engine, Context ctx, std::string run_id) {
  StartRequest request;
  request.workflow = "ask";
  request.run_id = std::move(run_id);
  request.input = JsonObject{{"text", "x"}, {"role", "reviewer"}};
  auto started = co_await engine.start(ctx, std::move(request));
  CHECK(started.ok());
}

}  // namespace

TEST_CASE("review: the run parks, survives a crash, and goes on with the answer") {
  Desk desk;
  const auto id = desk.world.run_workflow("ask", {{"text", "money back"}, {"role", "reviewer"}});
  CHECK(desk.world.view(id).status == "waiting");
  desk.world.crash();
  desk.world.start();
  const auto review = desk.open_review();
  REQUIRE_FALSE(review.empty());
  CHECK(desk.world.view(id).waiting_for == "review " + review);
  CHECK_FALSE(desk.answer(review, "reviewer", JsonObject{{"intent", "weather"}}).ok());
  CHECK_FALSE(desk.answer(review, "auditor", JsonObject{{"intent", "delivery"}}).ok());
  CHECK(desk.world.view(id).status == "waiting");
  CHECK(desk.answer(review, "reviewer", JsonObject{{"intent", "delivery"}}).ok());
  const auto view = desk.world.view(id);
  CHECK(view.status == "completed");
  CHECK(to_text(view.output) == R"({"intent":"delivery","by":"key_anna","corrected":true})");
  CHECK(text_or(view.reviews.get_array().front(), "by", "") == "key_anna");
  const auto again = desk.answer(review, "reviewer", JsonObject{{"intent", "refund"}});
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code() == Code::failed_precondition);
}

TEST_CASE("review: the run's history opens what was asked and what was answered") {
  Desk desk;
  const auto id = desk.world.run_workflow("ask", {{"text", "money back"}, {"role", "reviewer"}});
  const Json said = JsonObject{{"note", "by phone"}, {"intent", "delivery"}};
  REQUIRE(desk.answer(desk.open_review(), "reviewer", said).ok());
  const auto leaves = desk.world.executor.run(desk.world.store->leaves(desk.world.ctx(), 0, 10));
  const auto history = desk.world.executor.run(desk.world.engine->history(desk.world.ctx(), id));
  REQUIRE(leaves.ok());
  REQUIRE(history.ok());
  std::map<std::string, std::string> opened;  // by the leaf's outcome
  for (const Json& event : history->get_array()) {
    const Json* openings = at_pointer(event, "/data/openings");
    for (const Json& opening : openings == nullptr ? JsonArray() : openings->get_array()) {
      const Json* content = at_pointer(opening, "/contents/payload");
      REQUIRE(content != nullptr);
      const std::string salt = from_hex(text_or(opening, "salt", "")).value();
      for (const std::string& text : *leaves) {
        const Json leaf = parse_json(text).value();
        if (to_hex(view(govern::leaf_hash(text))) == text_or(opening, "leaf", "") &&
            govern::check_opening(leaf, "payload", salt, view(content->get_string())).ok()) {
          opened[std::string(text_or(leaf, "outcome", ""))] = view(content->get_string());
        }
      }
    }
  }
  REQUIRE(opened.size() == 3);
  CHECK(opened["opened"].starts_with(R"({"evidence":{"text":"money back"},"form":"ticket",)"));
  CHECK(opened["answered"] == R"({"intent":"delivery","note":"by phone"})");
  CHECK(opened["completed"].starts_with(R"({"by":"key_anna",)"));
}

TEST_CASE("review: a question that policy refuses is an authorization error, told in one commit") {
  Desk desk;
  const auto rows = desk.world.disk->journal_rows();
  const auto id = desk.world.run_workflow("ask", {{"text", "x"}, {"role", "everybody"}});
  const auto view = desk.world.view(id);
  CHECK(view.status == "faulted");
  CHECK(int_or(view.error, "status", 0) == 403);
  CHECK(desk.open_review().empty());
  CHECK(desk.world.disk->journal_rows() == rows + 2);  // the document's text, and the whole run
  const auto leaves = desk.world.executor.run(desk.world.store->leaves(desk.world.ctx(), 0, 10));
  REQUIRE(leaves.ok());
  const auto refused = std::count_if(leaves->begin(), leaves->end(), [](const std::string& leaf) {
    return leaf.find(R"("kind":"review","outcome":"refused")") != std::string::npos;
  });
  CHECK(refused == 1);
}

TEST_CASE("review: a run that is cancelled or runs out of time takes its question back") {
  Desk desk;
  const auto cancelled = desk.world.run_workflow("ask", {{"text", "x"}, {"role", "reviewer"}});
  CHECK_FALSE(desk.open_review().empty());
  CHECK(desk.world.executor.run(desk.world.engine->cancel(desk.world.ctx(), cancelled, "no")).ok());
  CHECK(desk.open_review().empty());
  const auto late = desk.world.run_workflow("hasty", JsonObject());
  const auto review = desk.open_review();
  CHECK_FALSE(review.empty());
  const auto view = desk.world.finish(late, std::chrono::hours(2));
  CHECK(to_text(view.output) == R"({"late":true})");
  CHECK(desk.open_review().empty());
  CHECK_FALSE(desk.answer(review, "reviewer", JsonObject{{"intent", "refund"}}).ok());
}

TEST_CASE("review: escalation and due time come once each, over crashes, and may fail the step") {
  Desk desk;
  auto& world = desk.world;
  const auto events = [&] {
    auto rows = world.executor.run(world.store->outbox(world.ctx(), 0, 10));
    REQUIRE(rows.ok());
    return std::count_if(rows->begin(), rows->end(), [](const store::OutboxRow& row) {
      return row.data.find("aios.review.overdue") != std::string::npos;
    });
  };
  const auto told = [&](std::string_view outcome) {
    const auto leaves = world.executor.run(world.store->leaves(world.ctx(), 0, 50));
    return std::count_if(leaves->begin(), leaves->end(), [&](const std::string& leaf) {
      return leaf.find(fmt::format(R"("outcome":"{}")", outcome)) != std::string::npos;
    });
  };
  const auto kept = world.run_workflow("slow", {{"on_timeout", "keep"}});
  const auto review = desk.open_review();
  for (int i = 0; i < 3; ++i) {
    world.crash();
    world.start();
    world.executor.advance(std::chrono::minutes(61));
    CHECK(world.executor.run(world.engine->get(world.ctx(), kept)).ok());
  }
  const auto info = world.executor.run(world.services.functions.reviews->get(world.ctx(), review));
  REQUIRE(info.ok());
  CHECK(info->status == "open");
  CHECK(info->overdue);
  CHECK(info->escalated_to == std::vector<std::string>{"approver"});
  CHECK(world.view(kept).status == "waiting");
  CHECK(told("escalated") == 1);
  CHECK(told("overdue") == 1);
  CHECK(events() == 1);
  CHECK(desk.answer(review, "approver", JsonObject{{"intent", "refund"}}).ok());
  const auto late = world.run_workflow("slow", {{"on_timeout", "fail"}});
  const auto view = world.finish(late, std::chrono::hours(3));
  CHECK(to_text(view.output) == R"({"late":true})");
  CHECK(told("expired") == 1);
  CHECK(desk.open_review().empty());
}

TEST_CASE("review: a due time is told to who subscribed to it, and to a run that listens for it") {
  for (const std::string who : {"subscribed", "listens", "nobody"}) {
    CAPTURE(who);
    Desk desk;
    auto& world = desk.world;
    world.crash();
    if (who == "subscribed") {
      world.services.subscribed = [](const TenantId&, std::string_view type,
                                     std::string_view source) {
        return type == "aios.review.overdue" && source == "/test/slow/1.0.0";
      };
    }
    world.replace_documents({slow, who == "listens" ? listener : hasty});
    world.start();
    if (who == "listens") {
      world.run_workflow("listener", JsonObject());
    }
    world.run_workflow("slow", {{"on_timeout", "keep"}});
    world.executor.advance(std::chrono::hours(3));
    auto rows = world.executor.run(world.store->outbox(world.ctx(), 0, 10));
    REQUIRE(rows.ok());
    CHECK(rows->size() == (who == "nobody" ? 0 : 1));
  }
}

TEST_CASE(
    "review: a clock that was ahead puts off no escalation and no due time, once it is right") {
  for (const bool restarts : {true, false}) {
    Desk desk;
    auto& world = desk.world;
    const auto clock = [&](Duration ahead) {
      runtime::set_sim_wall(world.executor.clock(), ahead);
      if (restarts) {
        world.crash();
        world.start();
      }
    };
    clock(std::chrono::hours(24 * 9));
    const auto id = world.run_workflow("slow", {{"on_timeout", "fail"}});
    const auto review = desk.open_review();
    world.executor.advance(std::chrono::minutes(30));
    clock(Duration(0));  // after a start the times count from then
    const Duration begun = restarts ? Duration(0) : std::chrono::minutes(30);
    const auto look = [&] {
      return world.executor.run(world.services.functions.reviews->get(world.ctx(), review)).value();
    };
    world.executor.advance(std::chrono::minutes(59) - begun);
    CHECK(look().escalated_to.empty());
    world.executor.advance(std::chrono::minutes(2));
    CHECK(look().escalated_to == std::vector<std::string>{"approver"});
    CHECK(look().created <= world.executor.clock().now());
    world.executor.advance(std::chrono::minutes(58));
    CHECK(world.view(id).status == "waiting");
    world.executor.advance(std::chrono::minutes(2));
    CHECK(look().status == "expired");
    CHECK(to_text(world.view(id).output) == R"({"late":true})");
  }
}

TEST_CASE(
    "review: what wants approval waits for it over a crash, and a refused answer is told of") {
  Desk desk;
  auto& world = desk.world;
  const auto id = world.run_workflow("ask", {{"text", "money back"}, {"role", "reviewer"}});
  const auto review = desk.open_review();
  const auto leaves = world.executor.run(world.store->leaf_count(world.ctx())).value();
  const Json forbidden = JsonObject{{"intent", "refund"}, {"note", "forbidden"}};
  CHECK(desk.answer(review, "reviewer", forbidden).error().code() == Code::policy_denied);
  CHECK(world.executor.run(world.store->leaf_count(world.ctx())).value() == leaves + 1);
  const Json large = JsonObject{{"intent", "refund"}, {"note", "large"}};
  REQUIRE(desk.answer(review, "reviewer", large).ok());
  world.crash();
  world.start();
  CHECK(world.view(id).status == "waiting");
  auto ctx = world.ctx();
  ctx.principal = std::make_shared<const Principal>(Principal{"key_bob", "key", {"approver"}});
  review::Said said;
  said.word = review::Said::Word::approve;
  CHECK(world.executor.run(world.engine->tell(ctx, review, said)).ok());
  const auto view = world.view(id);
  CHECK(view.status == "completed");
  const auto& remembered = view.reviews.get_array().front();
  CHECK(text_or(remembered, "by", "") == "key_anna");
  CHECK(text_or(remembered, "approved_by", "") == "key_bob");
}

TEST_CASE("review: a run cancelled at any step of asking leaves no open question") {
  int cancelled = 0;
  for (int steps = 0; steps < 40; ++steps) {
    CAPTURE(steps);
    Desk desk;
    auto& executor = desk.world.executor;
    runtime::TaskGroup group(executor);
    executor.post([&] { group.spawn(start_ask(*desk.world.engine, desk.world.ctx(), "run_0")); });
    for (int i = 0; i < steps; ++i) {
      executor.step();
    }
    const auto done = executor.run(desk.world.engine->cancel(desk.world.ctx(), "run_0", "no"));
    executor.run(group.join());
    if (done.ok()) {
      ++cancelled;
      CHECK(desk.open_review().empty());
      CHECK(desk.world.view("run_0").status == "cancelled");
    }
  }
  CHECK(cancelled > 0);
}

}  // namespace aios::workflow

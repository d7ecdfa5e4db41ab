// SPDX-License-Identifier: Apache-2.0
#pragma once
// review/test/desk: reviews over a store in memory, with a policy; the tests commit as workflow
// does.

#include "review/review.h"
#include "runtime/sim.h"
#include "runtime/task_group.h"
#include "store/test/memory.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aios::review::test {

inline constexpr const char* policy = R"(package aios.review_assign
import rego.v1
default allow := false
allow if {
  every role in input.review.assignees { role in {"reviewer", "approver"} }
}
deny contains "only reviewers are asked" if not allow
obligations contains {"type": "record"} if input.review.form == "odd"
obligations contains {"type": "priority", "value": 95} if input.review.title == "urgent"
obligations contains {"type": "approve", "assignees": ["approver"]} if {
  input.review.phase == "answer"
  input.review.answer.reply == "large"
}
)";

inline constexpr const char* form = R"({
  "type": "object", "x-label": "intent", "required": ["intent", "action"],
  "additionalProperties": false,
  "properties": {"intent": {"enum": ["refund", "delivery"]},
                 "action": {"enum": ["case", "none"]},
                 "reply": {"type": "string"}}})";

inline Context person(const std::string& id, const std::string& role) {
  auto principal = std::make_shared<Principal>();
  principal->id = id;
  principal->kind = "key";
  principal->roles = {role};
  Context ctx;
  ctx.tenant = default_tenant();
  ctx.principal = std::move(principal);
  return ctx;
}

inline ReviewRequest question() {
  ReviewRequest request;
  request.title = "Ticket 7: refund?";
  request.form = "ticket-review";
  request.form_schema = *parse_json(form);
  request.evidence = JsonObject{{"text", "where is my money"}};
  request.suggestion = JsonObject{{"intent", "refund"}, {"action", "case"}};
  request.assignees = {"reviewer"};
  request.due = std::chrono::hours(48);
  request.dataset = "intents";
  request.subject = "customer-7";
  request.run_id = "run_1";
  request.step = "/do/3/askPerson";
  return request;
}

inline Json answer(const std::string& intent, const std::string& action) {
  return JsonObject{{"intent", intent}, {"action", action}};
}

struct Desk {
  runtime::SimExecutor executor;
  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  std::unique_ptr<store::Store> store;
  govern::Guard guard;
  std::unique_ptr<Reviews> reviews;
  Context system = system_context(default_tenant(), "test");

  Desk() {
    REQUIRE(guard.load(default_tenant(), {{"reviews.rego", policy}}, JsonObject{}).ok());
    store = store::test::open_memory(disk, executor.clock());
    reviews = std::make_unique<Reviews>(*store, guard, executor.clock(), executor.random());
  }
  template <class T>
  T run(Task<T> task) {
    return executor.run(std::move(task));
  }
  Result<store::Committed> commit(std::vector<store::StreamWrite> writes, store::AuditLeaf leaf) {
    store::Transition transition;
    transition.tenant = default_tenant();
    transition.epoch = store->epoch();
    transition.streams = std::move(writes);
    transition.leaves.push_back(std::move(leaf));
    const auto written = transition.streams;
    auto done = run(store->commit(system, std::move(transition)));
    if (done.ok() && tell_index) {
      reviews->saved(default_tenant(), written);
    }
    return done;
  }
  /// As workflow does it: open, then commit.
  std::string ask(ReviewRequest request) {
    auto opened = run(reviews->open(system, std::move(request), {{"id", "run_1"}}));
    REQUIRE(opened.ok());
    REQUIRE(commit({std::move(opened->write)}, std::move(opened->leaf)).ok());
    return opened->id;
  }
  govern::Refusable<Prepared> say(const Context& ctx, const std::string& id, Said::Word word,
                                  std::string reason = "", std::vector<std::string> roles = {}) {
    Said said;
    said.word = word;
    said.reason = std::move(reason);
    said.roles = std::move(roles);
    RunFacts facts;
    facts.starter = "key_start";
    return run(reviews->prepare(ctx, id, std::move(said), std::move(facts)));
  }
  /// As a server that is started again: nothing but the store is left.
  void reopen() {
    reviews = std::make_unique<Reviews>(*store, guard, executor.clock(), executor.random());
  }
  bool tell_index = true;
  govern::Refusable<Prepared> prepare(const std::string& id, const Json& given,
                                      const std::string& role = "reviewer") {
    return prepare_by(person("key_ann", role), id, given);
  }
  govern::Refusable<Prepared> prepare_by(const Context& ctx, const std::string& id,
                                         const Json& given) {
    Said said;
    said.answer = given;
    return run(reviews->prepare(ctx, id, std::move(said), {}));
  }
};

inline Task<void> keep_claim(Reviews& reviews, Context ctx, std::string id,
                             std::vector<Result<ReviewInfo>>* got) {
  auto claimed = co_await reviews.claim(std::move(ctx), std::move(id), lease_default, 0);
  got->push_back(std::move(claimed));
}

}  // namespace aios::review::test

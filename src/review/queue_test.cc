// SPDX-License-Identifier: Apache-2.0
// Claims, approvals, times and the index, as workflow and the API use them.
#include "review/test/desk.h"
#include "runtime/sim_wall.h"

namespace aios::review {
namespace {

using test::answer;
using test::Desk;
using test::person;
using test::question;

constexpr Duration lease = std::chrono::minutes(15);

TEST_CASE("review: a claim keeps others away until it ends by itself") {
  Desk desk;
  const std::string id = desk.ask(question());
  const auto ann = desk.run(desk.reviews->claim(person("key_ann", "reviewer"), id, lease, 0));
  REQUIRE(ann.ok());
  CHECK(ann->claim->by == "key_ann");
  const auto bob = person("key_bob", "reviewer");
  const auto refused = desk.run(desk.reviews->claim(bob, id, lease, 0));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 608);
  CHECK(refused.error().text().find("key_ann") != std::string::npos);
  CHECK(desk.prepare_by(bob, id, answer("refund", "case")).error().page() == 608);
  CHECK(desk.prepare(id, answer("refund", "case")).ok());
  desk.reopen();  // as after a restart: the claim is in the store
  CHECK(desk.run(desk.reviews->claim(bob, id, lease, 0)).error().page() == 608);
  desk.executor.advance(lease);
  CHECK(desk.prepare_by(bob, id, answer("refund", "case")).ok());
  CHECK(desk.run(desk.reviews->claim(bob, id, lease, 0)).ok());
}

TEST_CASE("review: a claim that a clock made which was ahead holds nobody off when it is right") {
  Desk desk;
  const std::string id = desk.ask(question());
  const auto bob = person("key_bob", "reviewer");
  runtime::set_sim_wall(desk.executor.clock(), std::chrono::hours(24 * 9));
  REQUIRE(desk.run(desk.reviews->claim(person("key_ann", "reviewer"), id, lease, 0)).ok());
  CHECK(desk.run(desk.reviews->claim(bob, id, lease, 0)).error().page() == 608);
  runtime::set_sim_wall(desk.executor.clock(), Duration(0));
  CHECK(desk.prepare_by(bob, id, answer("refund", "case")).ok());
  CHECK(desk.run(desk.reviews->counts(desk.system))->claimed == 0);
  desk.reopen();
  CHECK(desk.run(desk.reviews->claim(bob, id, lease, 0)).ok());
}

TEST_CASE("review: a claim is renewed by who has it and ended by an operator with a reason") {
  Desk desk;
  const std::string id = desk.ask(question());
  const auto ann = person("key_ann", "reviewer");
  REQUIRE(desk.run(desk.reviews->claim(ann, id, lease, 0)).ok());
  desk.executor.advance(std::chrono::minutes(10));
  REQUIRE(desk.run(desk.reviews->claim(ann, id, lease, 0)).ok());
  desk.executor.advance(std::chrono::minutes(10));
  const auto bob = person("key_bob", "reviewer");
  CHECK(desk.run(desk.reviews->release(bob, id, "I want it", 0)).error().code() ==
        Code::permission_denied);
  const auto boss = person("key_boss", "operator");
  CHECK(desk.run(desk.reviews->release(boss, id, "", 0)).error().page() == 614);
  REQUIRE(desk.run(desk.reviews->release(boss, id, "Ann is ill", 0)).ok());
  CHECK(desk.run(desk.reviews->release(boss, id, "again", 0)).error().page() == 613);
  const auto leaves = desk.run(desk.store->leaves(desk.system, 0, 10));
  REQUIRE(leaves.ok());
  CHECK(leaves->back().find(R"("outcome":"released")") != std::string::npos);
  CHECK(leaves->back().find("Ann is ill") == std::string::npos);
  CHECK(desk.run(desk.reviews->claim(bob, id, lease, 0)).ok());
}

TEST_CASE("review: of two who claim at once exactly one has it, the other is told who") {
  Desk desk;
  const std::string id = desk.ask(question());
  std::vector<Result<ReviewInfo>> got;
  runtime::TaskGroup group(desk.executor);
  desk.executor.post([&] {
    group.spawn(test::keep_claim(*desk.reviews, person("key_ann", "reviewer"), id, &got));
    group.spawn(test::keep_claim(*desk.reviews, person("key_bob", "reviewer"), id, &got));
  });
  desk.executor.run_until_idle();
  desk.run(group.join());
  REQUIRE(got.size() == 2);
  const auto& won = got[0].ok() ? got[0] : got[1];
  const auto& lost = got[0].ok() ? got[1] : got[0];
  REQUIRE(won.ok());
  REQUIRE_FALSE(lost.ok());
  CHECK(lost.error().page() == 608);
  CHECK(lost.error().text().find(won->claim->by) != std::string::npos);
}

TEST_CASE("review: who saw another version is told, a lease out of bounds is refused") {
  Desk desk;
  const std::string id = desk.ask(question());
  const auto ann = person("key_ann", "reviewer");
  CHECK(desk.run(desk.reviews->claim(ann, id, lease, 7)).error().page() == 609);
  CHECK(desk.run(desk.reviews->claim(ann, id, Duration(0), 0)).error().page() == 612);
  CHECK(desk.run(desk.reviews->claim(ann, id, lease_max + lease, 0)).error().page() == 612);
  CHECK(desk.run(desk.reviews->claim(ann, id, lease, 1)).ok());
  CHECK(desk.run(desk.reviews->claim(person("key_eve", "auditor"), id, lease, 0)).error().page() ==
        602);
}

TEST_CASE("review: the most urgent is the highest priority, then the earliest due") {
  Desk desk;
  auto request = question();
  request.due.reset();
  const std::string plain = desk.ask(request);
  request.due = std::chrono::hours(4);
  const std::string later = desk.ask(request);
  request.due = std::chrono::hours(1);
  const std::string soon = desk.ask(request);
  request.due.reset();
  request.priority = priority_high;
  const std::string high = desk.ask(request);
  request.assignees = {"approver"};
  const std::string others = desk.ask(request);
  const auto ann = person("key_ann", "reviewer");
  for (const std::string& wanted : {high, soon, later, plain}) {
    const auto next = desk.run(desk.reviews->claim_next(ann, {}, lease));
    REQUIRE(next.ok());
    CHECK(next->id == wanted);
  }
  CHECK(desk.run(desk.reviews->claim_next(ann, {}, lease)).error().page() == 615);
  CHECK(desk.run(desk.reviews->claim_next(person("key_b", "approver"), {}, lease))->id == others);
}

TEST_CASE("review: the queue pages in both orders, filters, and shows nothing that is sealed") {
  Desk desk;
  std::vector<std::string> ids;
  for (int i = 0; i < 7; ++i) {
    auto request = question();
    request.priority = i % 2 == 0 ? priority_low : priority_high;
    request.workflow = i < 3 ? "support/ticket" : "support/other";
    ids.push_back(desk.ask(request));
    desk.executor.advance(std::chrono::seconds(1));
  }
  for (const QueueOrder order : {QueueOrder::oldest, QueueOrder::urgency}) {
    QueueQuery query;
    query.order = order;
    query.limit = 2;
    std::vector<std::string> seen;
    do {
      const auto page = desk.run(desk.reviews->queue(desk.system, query));
      REQUIRE(page.ok());
      for (const ReviewInfo& info : page->items) {
        CHECK(info.title.empty());
        CHECK(info.evidence.is_null());
        seen.push_back(info.id);
      }
      query.after = page->next;
    } while (!query.after.empty());
    CHECK(seen.size() == ids.size());
    CHECK(seen.front() == (order == QueueOrder::oldest ? ids[0] : ids[1]));
  }
  QueueQuery query;
  query.workflow = "ticket";
  CHECK(desk.run(desk.reviews->queue(desk.system, query))->items.size() == 3);
  query.priority_min = priority_high;
  CHECK(desk.run(desk.reviews->queue(desk.system, query))->items.size() == 1);
  query = {};
  query.overdue = true;
  CHECK(desk.run(desk.reviews->queue(desk.system, query))->items.empty());
  desk.executor.advance(std::chrono::hours(48));
  CHECK(desk.run(desk.reviews->queue(desk.system, query))->items.size() == 7);
  CHECK(desk.run(desk.reviews->counts(desk.system))->overdue == 7);
  query = {};
  query.order = QueueOrder::urgency;
  query.after = "nonsense";
  CHECK(desk.run(desk.reviews->queue(desk.system, query)).error().page() == 617);
}

TEST_CASE("review: the index follows what is committed, and is read again when that is not known") {
  Desk desk;
  CHECK(desk.run(desk.reviews->counts(desk.system))->open == 0);
  const std::string id = desk.ask(question());
  CHECK(desk.run(desk.reviews->counts(desk.system))->open == 1);
  auto answered = desk.prepare(id, answer("refund", "case"));
  REQUIRE(answered.ok());
  desk.tell_index = false;  // as if the commit's own outcome was not seen
  REQUIRE(desk.commit(std::move(answered->writes), std::move(answered->leaf)).ok());
  CHECK(desk.run(desk.reviews->counts(desk.system))->open == 1);
  desk.reviews->doubt(default_tenant());
  CHECK(desk.run(desk.reviews->counts(desk.system))->open == 0);
}

TEST_CASE("review: an answer that policy wants approved waits for another person") {
  Desk desk;
  desk.reviews->know_holders([](const TenantId&, const std::string& key) -> std::string {
    return key == "key_ann" ? "J\u00fcrgen A" : key == "key_ann2" ? " J\u00dcRGEN\u00a0 A" : key;
  });
  const std::string id = desk.ask(question());
  Json large = answer("refund", "case");
  large.as_object()["reply"] = "large";
  auto proposed = desk.prepare(id, large);
  REQUIRE(proposed.ok());
  CHECK(proposed->outcome == "proposed");
  CHECK_FALSE(proposed->result);
  REQUIRE(desk.commit(std::move(proposed->writes), std::move(proposed->leaf)).ok());
  CHECK(desk.run(desk.reviews->get(desk.system, id))->status == "approval");
  CHECK(desk.prepare(id, large).error().page() == 611);
  for (const char* same : {"key_ann", "key_ann2"}) {
    CHECK(desk.say(person(same, "approver"), id, Said::Word::approve).error().page() == 610);
    CHECK(desk.run(desk.reviews->claim(person(same, "approver"), id, lease, 0)).error().page() ==
          610);
  }
  CHECK(desk.say(person("key_start", "approver"), id, Said::Word::approve).error().page() == 610);
  CHECK(desk.say(person("key_bob", "reviewer"), id, Said::Word::approve).error().page() == 602);
  const auto bob = person("key_bob", "approver");
  CHECK(desk.say(bob, id, Said::Word::send_back, "").error().page() == 614);
  auto back = desk.say(bob, id, Said::Word::send_back, "too much");
  REQUIRE(back.ok());
  REQUIRE(desk.commit(std::move(back->writes), std::move(back->leaf)).ok());
  CHECK(desk.run(desk.reviews->get(desk.system, id))->sent_back->reason == "too much");
  CHECK(desk.say(bob, id, Said::Word::approve).error().page() == 611);
  proposed = desk.prepare(id, large);
  REQUIRE(desk.commit(std::move(proposed->writes), std::move(proposed->leaf)).ok());
  auto done = desk.say(bob, id, Said::Word::approve);
  REQUIRE(done.ok());
  CHECK(text_or(*done->result, "by", "") == "key_ann");
  CHECK(text_or(*done->result, "approved_by", "") == "key_bob");
  CHECK(text_or(done->memory, "approved_by", "") == "key_bob");
  REQUIRE(desk.commit(std::move(done->writes), std::move(done->leaf)).ok());
  CHECK(desk.run(desk.reviews->counts(desk.system))->approval == 0);
  const auto rows = desk.run(desk.reviews->corrections(desk.system, "intents", "", 10));
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().approved_by == "key_bob");
}

TEST_CASE("review: what policy raises and whom it does not let be asked") {
  Desk desk;
  auto request = question();
  request.title = "urgent";
  CHECK(desk.run(desk.reviews->get(desk.system, desk.ask(request)))->priority == 95);
  const std::string id = desk.ask(question());
  const auto ann = person("key_ann", "reviewer");
  const auto refused = desk.say(ann, id, Said::Word::assign, "", {"admin"});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code() == Code::policy_denied);
  CHECK(refused.refusal().leaves.size() == 1);
  for (const char* mute : {"ingest", "auditor", "operator", "developer"}) {
    CAPTURE(mute);
    CHECK(desk.say(ann, id, Said::Word::assign, "", {"approver", mute}).error().page() == 614);
  }
  CHECK(desk.say(ann, id, Said::Word::assign, "", {}).error().page() == 614);
  CHECK(desk.say(ann, id, Said::Word::assign, "", {"rewiever"}).error().page() == 614);
  auto moved = desk.say(ann, id, Said::Word::assign, "", {"approver"});
  REQUIRE(moved.ok());
  REQUIRE(desk.commit(std::move(moved->writes), std::move(moved->leaf)).ok());
  CHECK(desk.prepare(id, answer("refund", "case")).error().page() == 602);
}

TEST_CASE("review: its times come once each: escalation, overdue, expiry") {
  Desk desk;
  auto request = question();
  request.due = std::chrono::hours(4);
  request.escalation = {{std::chrono::hours(1), {"approver"}},
                        {std::chrono::hours(2), {"customer"}}};
  request.on_timeout = OnTimeout::fail;
  const std::string id = desk.ask(request);
  const auto look = [&] {
    auto due = desk.run(desk.reviews->prepare_due(desk.system, id, Time{}, {}));
    REQUIRE(due.ok());
    auto leaf = due->leaves.empty() ? store::AuditLeaf{"{}"} : due->leaves.front();
    if (!due->writes.empty()) {
      REQUIRE(desk.commit(due->writes, leaf).ok());
    }
    return *due;
  };
  CHECK(look().writes.empty());
  desk.executor.advance(std::chrono::hours(1));
  CHECK(look().escalated_to == std::vector<std::string>{"approver"});
  CHECK(look().writes.empty());
  CHECK(desk.prepare(id, answer("refund", "case"), "approver").ok());
  desk.executor.advance(std::chrono::hours(1));
  const auto refused = look();  // the policy does not let customers be asked
  CHECK(refused.escalated_to.empty());
  CHECK(refused.leaves.size() == 1);
  desk.executor.advance(std::chrono::hours(2));
  const auto last = look();
  CHECK(last.overdue);
  CHECK(last.failed);
  CHECK_FALSE(last.next_step);
  CHECK(desk.run(desk.reviews->get(desk.system, id))->status == "expired");
  CHECK(look().writes.empty());
  CHECK(desk.prepare(id, answer("refund", "case")).error().page() == 601);
}

TEST_CASE("review: a row says what it came from") {
  Desk desk;
  const std::string id = desk.ask(question());
  Said said;
  said.answer = answer("delivery", "case");
  RunFacts facts;
  facts.memory = {{"inferences", JsonArray{JsonObject{
                                     {"alias", "intent"}, {"label", "refund"}, {"version", "3"}}}}};
  facts.event = "evt-1";
  facts.event_source = "/shop";
  auto done = desk.run(desk.reviews->prepare(person("key_ann", "reviewer"), id, said, facts));
  REQUIRE(done.ok());
  REQUIRE(desk.commit(std::move(done->writes), std::move(done->leaf)).ok());
  const auto rows = desk.run(desk.reviews->corrections(desk.system, "intents", "", 10));
  REQUIRE(rows.ok());
  const Correction& row = rows->front();
  CHECK(row.event == "evt-1");
  CHECK(row.event_source == "/shop");
  CHECK(row.model == "intent");
  CHECK(row.model_version == "3");
  CHECK(row.input_digest.size() == 64);
  CHECK(row.suggested == question().suggestion);
}

}  // namespace
}  // namespace aios::review

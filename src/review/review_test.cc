// SPDX-License-Identifier: Apache-2.0
#include "review/review.h"

#include "review/test/desk.h"

#include <doctest/doctest.h>

namespace aios::review {
namespace {

using test::answer;
using test::Desk;
using test::person;
using test::question;

TEST_CASE("review: a question that was opened can be read and listed, oldest first") {
  Desk desk;
  const std::string first = desk.ask(question());
  desk.executor.advance(std::chrono::seconds(1));
  const std::string second = desk.ask(question());
  const auto info = desk.run(desk.reviews->get(desk.system, first));
  REQUIRE(info.ok());
  CHECK(info->status == "open");
  CHECK(info->title == "Ticket 7: refund?");
  CHECK(info->run_id == "run_1");
  CHECK(info->step == "/do/3/askPerson");
  CHECK(info->evidence == question().evidence);
  CHECK(info->suggestion == question().suggestion);
  CHECK(info->form_schema == question().form_schema);
  CHECK(info->assignees == question().assignees);
  REQUIRE(info->due);
  CHECK(*info->due - info->created == std::chrono::hours(48));
  CHECK(info->answer.is_null());
  const auto listed = desk.run(desk.reviews->list(desk.system, "open", "", 10));
  REQUIRE(listed.ok());
  REQUIRE(listed->size() == 2);
  CHECK((*listed)[0].id == first);
  CHECK((*listed)[1].id == second);
  const auto rest = desk.run(desk.reviews->list(desk.system, "open", first, 10));
  REQUIRE(rest.ok());
  CHECK(rest->size() == 1);
  CHECK(desk.run(desk.reviews->list(desk.system, "answered", "", 10))->empty());
}

TEST_CASE("review: an answer that differs is a correction and becomes a labelled row") {
  Desk desk;
  const std::string id = desk.ask(question());
  auto answered = desk.prepare(id, answer("delivery", "case"));
  REQUIRE(answered.ok());
  CHECK(answered->run_id == "run_1");
  CHECK(answered->step == "/do/3/askPerson");
  CHECK(text_or(*answered->result, "decision", "") == "answered");
  CHECK(text_or(*answered->result, "by", "") == "key_ann");
  CHECK(bool_or(*answered->result, "corrected", false));
  REQUIRE(answered->writes.size() == 2);
  REQUIRE(desk.commit(std::move(answered->writes), std::move(answered->leaf)).ok());
  const auto info = desk.run(desk.reviews->get(desk.system, id));
  REQUIRE(info.ok());
  CHECK(info->status == "answered");
  CHECK(info->answered_by == "key_ann");
  CHECK(info->answer == answer("delivery", "case"));
  CHECK(info->corrected);
  const auto rows = desk.run(desk.reviews->corrections(desk.system, "intents", "", 10));
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 1);
  const Correction& row = rows->front();
  CHECK(row.text == "where is my money");
  CHECK(row.label == "delivery");
  CHECK(row.was == "refund");
  CHECK(row.review == id);
  CHECK(row.run == "run_1");
  CHECK(row.by == "key_ann");
  CHECK(desk.run(desk.reviews->corrections(desk.system, "others", "", 10))->empty());
}

TEST_CASE("review: agreeing is no correction, more members than suggested are none either") {
  Desk desk;
  Json agreed = answer("refund", "case");
  agreed.as_object()["reply"] = "on its way";
  const auto same = desk.prepare(desk.ask(question()), agreed);
  REQUIRE(same.ok());
  CHECK(!bool_or(*same->result, "corrected", true));
  CHECK(same->writes.size() == 2);
  auto without = question();
  without.suggestion = nullptr;
  without.dataset.clear();
  const auto fresh = desk.prepare(desk.ask(without), answer("refund", "none"));
  REQUIRE(fresh.ok());
  CHECK(!bool_or(*fresh->result, "corrected", true));
  CHECK(fresh->writes.size() == 1);
}

TEST_CASE("review: the second answer is told who was first; a stale write is refused") {
  Desk desk;
  const std::string id = desk.ask(question());
  auto first = desk.prepare(id, answer("refund", "case"));
  auto racing = desk.prepare(id, answer("delivery", "case"));
  REQUIRE(first.ok());
  REQUIRE(racing.ok());
  REQUIRE(desk.commit(std::move(first->writes), std::move(first->leaf)).ok());
  const auto lost = desk.commit(std::move(racing->writes), std::move(racing->leaf));
  REQUIRE(!lost.ok());
  CHECK(lost.error().code() == Code::aborted);
  const auto late = desk.prepare(id, answer("delivery", "case"));
  REQUIRE(!late.ok());
  CHECK(late.error().code() == Code::failed_precondition);
  CHECK(late.error().page() == 601);
  CHECK(late.error().text().find("key_ann") != std::string::npos);
}

TEST_CASE("review: only the roles that were asked may answer") {
  Desk desk;
  const std::string id = desk.ask(question());
  const auto refused = desk.prepare(id, answer("refund", "case"), "operator");
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::permission_denied);
  CHECK(refused.error().page() == 602);
  Context nobody = desk.system;
  nobody.principal = nullptr;
  CHECK(desk.prepare_by(nobody, id, answer("refund", "case")).error().code() ==
        Code::permission_denied);
}

TEST_CASE("review: every place where an answer does not fit is named at once") {
  Desk desk;
  const std::string id = desk.ask(question());
  const Json bad = JsonObject{{"intent", "weather"}, {"reply", 7}, {"extra", true}};
  const auto refused = desk.prepare(id, bad);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::invalid_argument);
  CHECK(refused.error().page() == 603);
  const std::string text = refused.error().text();
  for (const char* part : {"/intent", "/reply", "extra", "action"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(desk.run(desk.reviews->get(desk.system, id))->status == "open");
}

TEST_CASE("review: a cancelled review takes no answer and is not cancelled twice") {
  Desk desk;
  const std::string id = desk.ask(question());
  auto write = desk.run(desk.reviews->prepare_cancel(desk.system, id));
  REQUIRE(write.ok());
  REQUIRE(desk.commit({std::move(*write)}, {"{}"}).ok());
  CHECK(desk.run(desk.reviews->get(desk.system, id))->status == "cancelled");
  CHECK(desk.prepare(id, answer("refund", "case")).error().page() == 601);
  CHECK(desk.run(desk.reviews->prepare_cancel(desk.system, id)).error().page() == 601);
}

TEST_CASE("review: unknown ids are not found, whatever their form") {
  Desk desk;
  for (const std::string& id :
       {std::string(), std::string("rev_"), std::string("run_1"), "rev_" + std::string(26, '0')}) {
    CAPTURE(id);
    CHECK(desk.run(desk.reviews->get(desk.system, id)).error().page() == 600);
    CHECK(desk.prepare(id, answer("refund", "case")).error().code() == Code::not_found);
  }
}

TEST_CASE("review: what the policy refuses is not opened, and has a leaf for whoever asked") {
  Desk desk;
  auto request = question();
  request.assignees = {"reviewer", "customer"};
  const auto refused = desk.run(desk.reviews->open(desk.system, request, {}));
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::policy_denied);
  const auto& leaves = refused.refusal().leaves;
  REQUIRE(leaves.size() == 1);
  CHECK(leaves[0].bytes.find(R"("outcome":"refused")") != std::string::npos);
  request = question();
  request.form = "odd";
  CHECK(desk.run(desk.reviews->open(desk.system, request, {})).error().page() == 606);
}

TEST_CASE("review: requests that cannot be asked are refused with what was wanted") {
  Desk desk;
  const auto open = [&desk](const std::function<void(ReviewRequest&)>& spoil) {
    auto request = question();
    spoil(request);
    auto opened = desk.run(desk.reviews->open(desk.system, std::move(request), {}));
    REQUIRE(!opened.ok());
    CHECK(opened.error().code() == Code::invalid_argument);
    return opened.error().page();
  };
  CHECK(open([](ReviewRequest& r) { r.title.clear(); }) == 604);
  CHECK(open([](ReviewRequest& r) { r.assignees.clear(); }) == 604);
  CHECK(open([](ReviewRequest& r) { r.assignees = {""}; }) == 604);
  CHECK(open([](ReviewRequest& r) { r.due = Duration(0); }) == 604);
  CHECK(open([](ReviewRequest& r) {
          r.evidence = JsonObject{{"text", std::string(2 << 20, 'x')}};
        }) == 604);
  CHECK(open([](ReviewRequest& r) { r.form_schema = JsonObject{{"type", 7}}; }) == 105);
  CHECK(open([](ReviewRequest& r) { r.evidence = JsonObject(); }) == 605);
  CHECK(open([](ReviewRequest& r) { r.form_schema.as_object()["x-label"] = "topic"; }) == 605);
  CHECK(desk.run(desk.store->leaf_count(desk.system)).value() == 0);
}

TEST_CASE("review: leaves commit to question and answer without showing them") {
  Desk desk;
  auto opened = desk.run(desk.reviews->open(desk.system, question(), {}));
  REQUIRE(opened.ok());
  CHECK(opened->leaf.bytes.find("\"payload\"") != std::string::npos);
  CHECK(opened->leaf.bytes.find("money") == std::string::npos);
  CHECK(opened->leaf.bytes.find(opened->id) != std::string::npos);
  REQUIRE(desk.commit({std::move(opened->write)}, std::move(opened->leaf)).ok());
  const auto answered = desk.prepare(opened->id, answer("delivery", "case"));
  REQUIRE(answered.ok());
  CHECK(answered->leaf.bytes.find("\"payload\"") != std::string::npos);
  CHECK(answered->leaf.bytes.find("delivery") == std::string::npos);
  CHECK(answered->leaf.bytes.find("\"corrected\":true") != std::string::npos);
}

TEST_CASE("review: erasing the data subject leaves only that there was a review") {
  Desk desk;
  const std::string open_one = desk.ask(question());
  const std::string id = desk.ask(question());
  auto answered = desk.prepare(id, answer("delivery", "case"));
  REQUIRE(answered.ok());
  REQUIRE(desk.commit(std::move(answered->writes), std::move(answered->leaf)).ok());
  REQUIRE(desk.run(desk.store->erase_subject(desk.system, "customer-7")).ok());
  const auto info = desk.run(desk.reviews->get(desk.system, id));
  REQUIRE(info.ok());
  CHECK(info->erased);
  CHECK(info->status == "answered");
  CHECK(info->evidence.is_null());
  const auto rows = desk.run(desk.reviews->corrections(desk.system, "intents", "", 10));
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().erased);
  CHECK(rows->front().dataset == "intents");
  CHECK(rows->front().text.empty());
  CHECK(find(rows->front().to_json(), "correction") == nullptr);
  CHECK(desk.prepare(open_one, answer("refund", "case")).error().page() == 601);
  auto cancelled = desk.run(desk.reviews->prepare_cancel(desk.system, open_one));
  REQUIRE(cancelled.ok());
  CHECK(desk.commit({std::move(*cancelled)}, {"{}"}).ok());
}

}  // namespace
}  // namespace aios::review

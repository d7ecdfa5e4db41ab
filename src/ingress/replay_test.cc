// SPDX-License-Identifier: Apache-2.0
#include "ingress/test/inbox.h"

#include "runtime/task_group.h"

namespace aios::ingress {
namespace {

using test::Inbox;

Context operator_context() { return system_context(default_tenant(), "operator"); }

Result<Accepted> replay(Inbox& inbox, const std::string& id) {
  return inbox.executor.run(inbox.ingress->replay(operator_context(), id));
}
Json show(Inbox& inbox, const std::string& id) {
  auto event = inbox.executor.run(inbox.ingress->get(operator_context(), id));
  REQUIRE(event.ok());
  return std::move(*event);
}

SourceFile strict_source() {
  return {"sources/shop.yaml",
          "kind: webhook\nname: shop\nsecrets: [a]\n"
          "event: {type: shop.odrer, data: '${ .body }'}\n"
          "schema: {type: object, required: [order]}\n"};
}
SourceFile mended_source() {
  return {"sources/shop.yaml",
          "kind: webhook\nname: shop\nsecrets: [a]\n"
          "event: {type: shop.odrer, data: {order: '${ .body.number }'}}\n"
          "schema: {type: object, required: [order]}\n"};
}

Accepted arrive(Inbox& inbox, const std::string& digest) {
  Arrival arrival;
  arrival.seen = JsonObject{{"body", JsonObject{{"number", 7}}}};
  arrival.defaults = {{"id", "m-1"}, {"source", "/hooks/shop"}};
  arrival.digest = digest;
  auto done = inbox.executor.run(
      inbox.ingress->receive(system_context(default_tenant(), "source"),
                             inbox.sources.find(default_tenant(), "shop"), std::move(arrival)));
  REQUIRE(done.ok());
  return std::move(*done);
}

TEST_CASE("replay: a dead letter starts what it would start today, once, and is marked") {
  Inbox inbox;
  const auto dead = inbox.accept(1);
  REQUIRE(dead.status == "dead_letter");
  const auto early = replay(inbox, dead.id);
  REQUIRE_FALSE(early.ok());
  CHECK(early.error().page() == 1206);
  CHECK(early.error().message().find("shop.odrer") != std::string::npos);
  CHECK(text_or(show(inbox, dead.id), "status", "") == "dead_letter");
  inbox.install("shop.odrer");
  const auto first = replay(inbox, dead.id);
  REQUIRE(first.ok());
  CHECK(first->status == "accepted");
  CHECK_FALSE(first->run.empty());
  CHECK(text_or(show(inbox, dead.id), "status", "") == "replayed");
  CHECK(text_or(show(inbox, dead.id), "replayed_as", "") == first->id);
  CHECK(text_or(show(inbox, first->id), "replay_of", "") == dead.id);
  const auto again = replay(inbox, dead.id);
  REQUIRE(again.ok());
  CHECK(again->repeated);
  CHECK(again->id == first->id);
  CHECK(again->run == first->run);
  const auto view = inbox.executor.run(inbox.engine->get(operator_context(), first->run));
  REQUIRE(view.ok());
  CHECK(inbox.accept(1).run == first->run);  // its sender, once more
}

TEST_CASE("replay: only dead letters are replayed") {
  Inbox inbox;
  inbox.install("shop.odrer");
  const auto fine = inbox.accept(1);
  REQUIRE(fine.status == "accepted");
  const auto refused = replay(inbox, fine.id);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 1206);
  CHECK(replay(inbox, "evt_none").error().code() == Code::not_found);
}

TEST_CASE("replay: one whose event was sent again meanwhile points at that, and starts nothing") {
  Inbox inbox;
  const auto dead = inbox.accept(1);
  inbox.install("shop.odrer");
  const auto resent = inbox.accept(1);
  REQUIRE(resent.status == "accepted");
  const auto replayed = replay(inbox, dead.id);
  REQUIRE(replayed.ok());
  CHECK(replayed->run == resent.run);
  CHECK(text_or(show(inbox, dead.id), "replayed_as", "") == resent.id);
  store::ListQuery runs;
  runs.kind = store::StreamKind::run;
  CHECK(inbox.executor.run(inbox.store->count(operator_context(), runs)).value() == 1);
}

TEST_CASE("replay: two at once start one run") {
  Inbox inbox;
  const auto dead = inbox.accept(1);
  inbox.install("shop.odrer");
  std::vector<Result<Accepted>> answers;
  runtime::TaskGroup group(inbox.executor);
  const auto one = [](Inbox* at, std::string id, std::vector<Result<Accepted>>* out) -> Task<void> {
    auto answer = co_await at->ingress->replay(operator_context(), std::move(id));
    out->push_back(std::move(answer));
  };
  for (int i = 0; i < 5; ++i) {
    group.spawn(one(&inbox, dead.id, &answers));
  }
  inbox.executor.run(group.join());
  REQUIRE(answers.size() == 5);
  for (const auto& answer : answers) {
    REQUIRE(answer.ok());
    CHECK(answer->run == answers[0]->run);
  }
}

TEST_CASE("replay: by the mapping and the schema of today, and the sender's retry is the same") {
  Inbox inbox;
  inbox.declare({strict_source()});
  inbox.install("shop.odrer");
  const std::string digest(32, 'd');
  const auto dead = arrive(inbox, digest);
  REQUIRE(dead.status == "dead_letter");
  CHECK(text_or(show(inbox, dead.id), "reason", "").find("AIOS-1209") != std::string::npos);
  CHECK(replay(inbox, dead.id).error().page() == 1206);
  inbox.declare({mended_source()});
  const auto replayed = replay(inbox, dead.id);
  REQUIRE(replayed.ok());
  CHECK(show(inbox, replayed->id).at("event").at("data") == Json(JsonObject{{"order", 7}}));
  const auto resent = arrive(inbox, digest);
  CHECK(resent.repeated);
  CHECK(resent.run == replayed->run);
}

TEST_CASE("replay: an arrival without an event waits for its source") {
  Inbox inbox;
  inbox.declare({{"sources/shop.yaml",
                  "kind: webhook\nname: shop\nsecrets: [a]\nevent: {type: '${ error }'}\n"}});
  inbox.install("shop.odrer");
  const auto dead = arrive(inbox, std::string(32, 'd'));
  REQUIRE(dead.status == "dead_letter");
  CHECK(text_or(show(inbox, dead.id).at("event"), "type", "") == "aios.source.unmapped");
  inbox.declare({});
  CHECK(replay(inbox, dead.id).error().message().find("not deployed") != std::string::npos);
  inbox.declare({mended_source()});
  CHECK(replay(inbox, dead.id).ok());
}

}  // namespace
}  // namespace aios::ingress

// SPDX-License-Identifier: Apache-2.0
#include "ingress/test/inbox.h"

#include "core/crypto.h"
#include "core/text.h"
#include "govern/merkle.h"
#include "govern/opening.h"

#include <fmt/format.h>

#include <string>

namespace aios::ingress {
namespace {

using test::Inbox;

TEST_CASE("ingress: dead letters leave one line in ten seconds, which says how many they are") {
  Inbox inbox;
  const auto first = inbox.accept(0);
  CHECK(first.status == "dead_letter");
  REQUIRE(inbox.lines.size() == 1);
  CHECK(inbox.lines[0].find(R"("level":"warn")") != std::string::npos);
  CHECK(inbox.lines[0].find(first.id) != std::string::npos);
  CHECK(inbox.lines[0].find(R"("type":"shop.odrer")") != std::string::npos);
  CHECK(inbox.lines[0].find(R"("count":1)") != std::string::npos);
  for (int i = 1; i <= 20; ++i) {
    inbox.accept(i);
  }
  CHECK(inbox.lines.size() == 1);
  inbox.executor.advance(std::chrono::seconds(10));
  inbox.accept(21);
  REQUIRE(inbox.lines.size() == 2);
  CHECK(inbox.lines[1].find(R"("count":21)") != std::string::npos);
  CHECK(inbox.lines[1].find("maiden") == std::string::npos);
  CHECK(inbox.metrics.prometheus().find(R"(aios_events_total{outcome="dead_letter"} 22)") !=
        std::string::npos);
}

TEST_CASE("ingress: what policy refuses leaves a leaf with the decision, and a flood few") {
  Inbox inbox;
  REQUIRE(inbox.guard
              .load(default_tenant(),
                    {{"policies/e.rego",
                      "package aios.event_admit\nimport rego.v1\n"
                      "deny contains \"not from here\" if true\n"}},
                    JsonObject())
              .ok());
  for (int i = 0; i < 100; ++i) {
    auto event = event_from_envelope({{"specversion", "1.0"},
                                      {"id", fmt::format("{}", i)},
                                      {"source", "/shop"},
                                      {"type", "shop.order"},
                                      {"data", {{"name", "mother's maiden name"}}}});
    REQUIRE(event.ok());
    const auto refused = inbox.executor.run(
        inbox.ingress->accept(system_context(default_tenant(), "sender"), std::move(*event), 100));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code() == Code::policy_denied);
  }
  const auto leaves =
      inbox.executor.run(inbox.store->leaves(system_context(default_tenant(), "test"), 0, 1'000));
  REQUIRE(leaves.ok());
  CHECK(leaves->size() == 10);
  const Json leaf = parse_json(leaves->front()).value();
  CHECK(text_or(leaf, "kind", "") == "event");
  CHECK(text_or(leaf, "outcome", "") == "refused");
  CHECK(text_or(leaf.at("principal"), "id", "").find("sender") != std::string::npos);
  CHECK(leaves->front().find("/shop") == std::string::npos);  // may name a person
  CHECK(leaf.at("decisions").as_array().size() == 1);
  CHECK(leaves->front().find("maiden") == std::string::npos);
}

TEST_CASE("ingress: a leaf shows nothing of what the sender wrote, and the event's opening all") {
  Inbox inbox;
  const auto ctx = system_context(default_tenant(), "test");
  auto event = event_from_envelope({{"type", "schmidt.order"},
                                    {"source", "https://crm.example/customers/anna.schmidt"},
                                    {"specversion", "1.0"},
                                    {"id", "7"},
                                    {"data", {{"z", 1}, {"name", "Anna"}}}});
  REQUIRE(event.ok());
  const auto sent = inbox.executor.run(inbox.ingress->accept(ctx, std::move(*event), 100));
  REQUIRE(sent.ok());
  const auto leaves = inbox.executor.run(inbox.store->leaves(ctx, 0, 10));
  REQUIRE(leaves.ok());
  REQUIRE(leaves->size() == 1);
  CHECK(leaves->front().find("schmidt") == std::string::npos);
  const Json leaf = parse_json(leaves->front()).value();
  const auto shown = inbox.executor.run(inbox.ingress->get(ctx, sent->id));
  REQUIRE(shown.ok());
  const Json opening = shown->at("opening");
  CHECK(text_or(opening, "leaf", "") == to_hex(view(govern::leaf_hash(leaves->front()))));
  const std::string salt = from_hex(text_or(opening, "salt", "")).value();
  for (const char* part : {"payload", "source", "type"}) {
    const auto content = text_or(opening.at("contents"), part, "");
    CHECK_MESSAGE(govern::check_opening(leaf, part, salt, content).ok(), part);
  }
  CHECK(text_or(opening.at("contents"), "source", "").ends_with("anna.schmidt"));
  CHECK(text_or(opening.at("contents"), "payload", "").starts_with(R"({"data":{"name":"Anna")"));
}

TEST_CASE("ingress: a leaf shows a type that a workflow waits for") {
  Inbox inbox;
  const auto refused = inbox.engine->install(
      default_tenant(), {{"workflows/order.yaml",
                          "document: {dsl: 1.0.3, namespace: shop, name: order, version: 1.0.0}\n"
                          "schedule: {on: {one: {with: {type: shop.odrer}}}}\n"
                          "do:\n  - a: {set: {x: 1}}\n"}});
  REQUIRE(refused.empty());
  REQUIRE(inbox.accept(1).status == "accepted");
  const auto ctx = system_context(default_tenant(), "test");
  const auto leaves = inbox.executor.run(inbox.store->leaves(ctx, 0, 10));
  REQUIRE(leaves.ok());
  const Json leaf = parse_json(leaves->front()).value();
  CHECK(text_or(leaf.at("facts"), "type", "") == "shop.odrer");
  CHECK(find(leaf.at("commitments"), "type") == nullptr);
  CHECK(find(leaf.at("facts"), "source") == nullptr);
}

TEST_CASE("ingress: an event that is sent again is no second dead letter") {
  Inbox inbox;
  const auto first = inbox.accept(0);
  inbox.executor.advance(std::chrono::minutes(1));
  const auto again = inbox.accept(0);
  CHECK(again.repeated);
  CHECK(again.id == first.id);
  CHECK(inbox.lines.size() == 1);
}

TEST_CASE("ingress: nobody outside says how many runs started one another") {
  Inbox inbox;
  auto event = event_from_envelope({{"specversion", "1.0"},
                                    {"id", "order-7"},
                                    {"source", "/shop"},
                                    {"type", "shop.order"},
                                    {"aioshops", 8},
                                    {"other", 8}});
  REQUIRE(event.ok());
  const auto ctx = system_context(default_tenant(), "test");
  Delivery ours;
  ours.event = *event;
  ours.event.id = "order-8";
  ours.emitted = true;
  const auto taken = inbox.executor.run(inbox.ingress->accept(ctx, std::move(*event), 100));
  REQUIRE(taken.ok());
  const auto kept = inbox.executor.run(inbox.ingress->get(ctx, taken->id));
  REQUIRE(kept.ok());
  CHECK(kept->at("event").get_object().contains("other"));
  CHECK_FALSE(kept->at("event").get_object().contains("aioshops"));
  const auto own = inbox.executor.run(inbox.ingress->accept(ctx, std::move(ours)));
  REQUIRE(own.ok());
  CHECK(inbox.executor.run(inbox.ingress->get(ctx, own->id))->at("event").at("aioshops") ==
        Json(8));
}

TEST_CASE("ingress: a dead letter's id stays free for the event that was meant") {
  Inbox inbox;
  const auto sent = [&inbox](const std::string& type, int value) {
    auto event = event_from_envelope({{"specversion", "1.0"},
                                      {"id", "order-7"},
                                      {"source", "/shop"},
                                      {"type", type},
                                      {"data", {{"value", value}}}});
    REQUIRE(event.ok());
    return inbox.executor.run(
        inbox.ingress->accept(system_context(default_tenant(), "test"), std::move(*event), 100));
  };
  const auto first = sent("shop.odrer", 1);
  REQUIRE(first.ok());
  CHECK(first->status == "dead_letter");
  const auto other = sent("shop.odrer", 2);  // as wrong, but not the same
  REQUIRE(other.ok());
  CHECK(other->id != first->id);
  const auto refused = inbox.engine->install(
      default_tenant(), {{"workflows/order.yaml",
                          "document: {dsl: 1.0.3, namespace: shop, name: order, version: 1.0.0}\n"
                          "schedule: {on: {one: {with: {type: shop.order}}}}\n"
                          "do:\n  - a: {set: {x: 1}}\n"}});
  REQUIRE(refused.empty());
  const auto mended = sent("shop.order", 1);
  REQUIRE(mended.ok());
  CHECK(mended->status == "accepted");
  CHECK(sent("shop.order", 1)->repeated);
  CHECK(sent("shop.odrer", 1).error().page() == 1203);  // the id is taken now
  CHECK(sent("shop.order", 3).error().page() == 1203);
}

}  // namespace
}  // namespace aios::ingress

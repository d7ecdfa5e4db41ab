// SPDX-License-Identifier: Apache-2.0
#include "ingress/test/inbox.h"

#include "core/crypto.h"
#include "core/text.h"
#include "net/http.h"

namespace aios::ingress {
namespace {

constexpr std::string_view key = "a key of twenty-four by";
SourceFile shop_source() {
  return {"sources/shop.yaml",
          "kind: webhook\nname: shop\nsecrets: [shop-webhook]\n"
          "event: {type: shop.order, source: /shop, data: '${ .body }'}\n"
          "schema: {type: object, required: [order]}\n"};
}

/// An inbox with the routes of webhooks.
struct Door : test::Inbox {
  Door() {
    SourceServices services;
    services.ingress = ingress.get();
    services.sources = &sources;
    services.store = store.get();
    services.router = &router;
    services.log = &log;
    services.secret = [this](const TenantId&, std::string_view name) {
      return name == "shop-webhook" && !secret.empty()
                 ? Result<std::string>(secret)
                 : Result<std::string>(Error(Code::not_found, "no such secret"));
    };
    SourceRegistry registry;
    register_all_sources(registry);
    for (const auto& entry : registry.entries()) {
      if (entry.name == "webhook") {
        entry.mount(services);
      }
    }
    declare({shop_source()});
    install("shop.order");
  }

  net::Request message(std::string_view id, std::string body, std::string_view source = "shop") {
    net::Request request;
    request.method = "POST";
    request.target = fmt::format("/hooks/{}", source);
    const auto seconds = executor.clock().now().ns / 1'000'000'000;
    request.headers.add("webhook-id", id);
    request.headers.add("webhook-timestamp", std::to_string(seconds));
    request.headers.add(
        "webhook-signature",
        "v1," + to_base64(view(hmac_sha256(key, fmt::format("{}.{}.{}", id, seconds, body)))));
    request.headers.add("content-type", "application/json");
    request.body = std::move(body);
    return request;
  }
  net::Response send(net::Request request) {
    return executor.run(router.dispatch(Context(), std::move(request)));
  }

  std::string secret = "whsec_" + to_base64(key);
  net::Router router;
};

std::string member(const net::Response& response, std::string_view name) {
  return std::string(text_or(parse_json(response.body).value(), name, ""));
}

TEST_CASE("webhook: what is signed starts a run, and the same again gets the first answer") {
  Door door;
  const auto first = door.send(door.message("msg-1", R"({"order": "A-1"})"));
  REQUIRE(first.status == 202);
  CHECK(member(first, "status") == "accepted");
  door.executor.advance(std::chrono::minutes(10));  // an attempt has a time of its own
  const auto again = door.send(door.message("msg-1", R"({"order": "A-1"})"));
  CHECK(again.status == 202);
  CHECK(member(again, "id") == member(first, "id"));
  CHECK(parse_json(again.body).value().at("repeated") == Json(true));
  const auto other = door.send(door.message("msg-1", R"({"order":  "A-1"})"));
  CHECK(other.status == 202);  // nobody would send it anew
  CHECK(member(other, "status") == "dead_letter");
  const auto event = door.executor.run(
      door.ingress->get(system_context(default_tenant(), "test"), member(first, "id")));
  REQUIRE(event.ok());
  CHECK(text_or(*event, "via", "") == "shop");
  CHECK(text_or(event->at("event"), "id", "") == "msg-1");
}

TEST_CASE("webhook: an id that came with other content is a dead letter, once for each content") {
  Door door;
  const auto first = door.send(door.message("msg-1", R"({"order": "A-1"})"));
  const auto other = door.send(door.message("msg-1", R"({"order": "A-2"})"));
  REQUIRE(other.status == 202);
  CHECK(member(other, "status") == "dead_letter");
  CHECK(member(other, "id") != member(first, "id"));
  const auto ctx = system_context(default_tenant(), "test");
  const auto kept = door.executor.run(door.ingress->get(ctx, member(other, "id")));
  REQUIRE(kept.ok());
  CHECK(text_or(*kept, "reason", "").find("[AIOS-1203]") != std::string::npos);
  CHECK(text_or(kept->at("event").at("data"), "order", "") == "A-2");
  const auto again = door.send(door.message("msg-1", R"({"order": "A-2"})"));
  CHECK(member(again, "id") == member(other, "id"));
  CHECK(parse_json(again.body).value().at("repeated") == Json(true));
  const auto third = door.send(door.message("msg-1", R"({"order": "A-3"})"));
  CHECK(member(third, "status") == "dead_letter");
  CHECK(member(third, "id") != member(other, "id"));
  const auto replayed = door.executor.run(door.ingress->replay(ctx, member(other, "id")));
  REQUIRE_FALSE(replayed.ok());  // its id is still taken
  CHECK(replayed.error().page() == 1206);
  CHECK(replayed.error().message().find("other content") != std::string::npos);
  Ingress::Wanted wanted;
  wanted.status = "dead_letter";
  const auto dead = door.executor.run(door.ingress->list(ctx, wanted));
  REQUIRE(dead.ok());
  CHECK(dead->size() == 2);
  CHECK(dead_letter_of(dead->front()).page == 1203);
  CHECK(dead_letter_of(dead->front()).source == "shop");
}

TEST_CASE(
    "webhook: what is altered, unsigned, or for nobody is refused alike, and leaves a trace") {
  Door door;
  auto altered = door.message("msg-1", R"({"order": "A-1"})");
  altered.body = R"({"order": "A-2"})";
  const auto refused = door.send(altered);
  CHECK(refused.status == 401);
  CHECK(refused.body.find("AIOS-1204") != std::string::npos);
  const auto unknown = door.send(door.message("msg-1", "{}", "nobody"));
  const auto tenant = door.send(door.message("msg-1", "{}", "nobody/shop"));
  door.secret.clear();
  const auto keyless = door.send(door.message("msg-1", R"({"order": "A-1"})"));
  for (const auto& response : {unknown, tenant, keyless}) {
    CHECK(response.status == refused.status);
    CHECK(response.body == refused.body);
  }
  const auto leaves = door.leaves();
  REQUIRE(leaves.size() == 4);
  CHECK(text_or(leaves[0], "outcome", "") == "refused");
  CHECK(text_or(leaves[0].at("facts"), "why", "") == "signature");
  CHECK(text_or(leaves[0].at("principal"), "id", "") == "source:shop");
  CHECK(text_or(leaves[1].at("facts"), "why", "") == "unknown");
  REQUIRE(door.lines.size() == 1);
  CHECK(door.lines[0].find("no such secret") != std::string::npos);
}

TEST_CASE(
    "webhook: beyond the source's rate it is told to come back; unsigned ones take none of it") {
  Door door;
  SourceFile slow = shop_source();
  slow.text += "rate: 12\n";  // two at once, then one each five seconds
  door.declare({slow});
  for (int i = 0; i < 5; ++i) {
    auto altered = door.message("msg-1", R"({"order": "A-1"})");
    altered.body = R"({"order": "A-2"})";
    CHECK(door.send(altered).status == 401);
  }
  CHECK(door.send(door.message("msg-1", R"({"order": "A-1"})")).status == 202);
  CHECK(door.send(door.message("msg-2", R"({"order": "A-2"})")).status == 202);
  const auto refused = door.send(door.message("msg-3", R"({"order": "A-3"})"));
  CHECK(refused.status == 429);
  CHECK(refused.body.find("AIOS-1235") != std::string::npos);
  CHECK(refused.headers.get("retry-after") == "6");  // more than five seconds, by a little
  CHECK(text_or(door.leaves().back().at("facts"), "why", "") == "rate");
  CHECK(door.ingress->turned_away_after(Time{}).back().why == "signature");
  CHECK(door.ingress->turned_away_after(Time{}).front().why == "rate");
  door.executor.advance(std::chrono::seconds(6));
  CHECK(door.send(door.message("msg-3", R"({"order": "A-3"})")).status == 202);
  CHECK(door.send(door.message("msg-4", R"({"order": "A-4"})")).status == 429);
}

TEST_CASE("webhook: one that is late is told so, and kept nowhere") {
  Door door;
  auto late = door.message("msg-1", R"({"order": "A-1"})");
  door.executor.advance(std::chrono::minutes(6));
  const auto refused = door.send(late);
  CHECK(refused.status == 400);
  CHECK(refused.body.find("AIOS-1205") != std::string::npos);
  CHECK(text_or(door.leaves().back().at("facts"), "why", "") == "late");
}

TEST_CASE("webhook: a body that is no JSON is kept when the mapping can make nothing of it") {
  Door door;
  const auto kept = door.send(door.message("msg-1", "order A-1, please"));
  REQUIRE(kept.status == 202);
  CHECK(member(kept, "status") == "dead_letter");
  const auto event = door.executor.run(
      door.ingress->get(system_context(default_tenant(), "test"), member(kept, "id")));
  REQUIRE(event.ok());
  CHECK(text_or(*event, "reason", "").find("AIOS-1209") != std::string::npos);
  CHECK(event->at("arrived").at("defaults").at("data") == Json("order A-1, please"));
}

TEST_CASE("webhook: a flood of wrong signatures has few leaves, a flood of names fewer") {
  Door door;
  for (int i = 0; i < 100; ++i) {
    auto altered = door.message("m", "{}");
    altered.body = "[]";
    CHECK(door.send(altered).status == 401);
    CHECK(door.send(door.message("m", "{}", fmt::format("guess-{}", i))).status == 401);
  }
  CHECK(door.leaves().size() == 20);
}

TEST_CASE("webhook: a body above a megabyte is not read") {
  Door door;
  net::Request head = door.message("m", "{}");
  CHECK(door.router.rule_body(head).bytes_max == std::size_t{1} << 20);
}

TEST_CASE("webhook: Slack's question for the address is answered when it is signed") {
  Door door;
  door.secret = "slack-secret";
  door.declare({{"sources/slack.yaml",
                 "kind: webhook\nname: slack\nscheme: slack\nsecrets: [shop-webhook]\n"
                 "event: {type: shop.order}\n"}});
  net::Request request;
  request.method = "POST";
  request.target = "/hooks/slack";
  request.body = R"({"type": "url_verification", "challenge": "abc"})";
  const auto seconds = std::to_string(door.executor.clock().now().ns / 1'000'000'000);
  request.headers.add("x-slack-request-timestamp", seconds);
  auto unsigned_one = request;
  request.headers.add("x-slack-signature",
                      "v0=" + to_hex(view(hmac_sha256(
                                  door.secret, fmt::format("v0:{}:{}", seconds, request.body)))));
  const auto answer = door.send(request);
  CHECK(answer.status == 200);
  CHECK(answer.body == "abc");
  CHECK(door.send(unsigned_one).status == 401);
}

/// As a key with the role ingest sends it.
Result<Accepted> by_api(Door& door, std::string_view source, std::string_view id) {
  auto event = event_from_envelope(
      {{"specversion", "1.0"}, {"id", id}, {"source", source}, {"type", "shop.order"}});
  REQUIRE(event.ok());
  auto ctx = system_context(default_tenant(), "test");
  return door.executor.run(door.ingress->accept(std::move(ctx), std::move(*event), 100));
}

TEST_CASE("webhook: an event by the API takes no id from a signed message of the same source") {
  Door door;
  door.declare({{"sources/shop.yaml",
                 "kind: webhook\nname: shop\nsecrets: [shop-webhook]\n"
                 "event: {type: shop.order, source: '${ .body.from }', data: '${ .body }'}\n"}});
  REQUIRE(by_api(door, "/branch/7", "msg-1").ok());
  const auto signed_one = door.send(door.message("msg-1", R"({"from": "/branch/7"})"));
  CHECK(signed_one.status == 202);
  CHECK(member(signed_one, "status") == "accepted");
  const auto again = by_api(door, "/branch/7", "msg-1");
  REQUIRE(again.ok());
  CHECK(again->repeated);  // each way remembers its own
  CHECK(again->id != member(signed_one, "id"));
}

TEST_CASE("webhook: an event by the API that claims a declared source is refused, with a leaf") {
  Door door;
  const auto forged = by_api(door, "/shop", "msg-1");
  REQUIRE(!forged.ok());
  CHECK(forged.error().code() == Code::permission_denied);
  CHECK(forged.error().page() == 1214);
  REQUIRE(door.leaves().size() == 1);
  CHECK(text_or(door.leaves()[0], "outcome", "") == "refused");
  CHECK(by_api(door, "/shop/2", "msg-1").ok());
  door.declare({{"sources/tick.yaml",
                 "kind: schedule\nname: tick\nevery: PT1M\nevent: {type: shop.order}\n"}});
  CHECK(by_api(door, "/schedules/tick", "tick@2026-11-22T09:00:00Z").error().page() == 1214);
  CHECK(by_api(door, "/shop", "msg-1").ok());  // it is declared no more
}

}  // namespace
}  // namespace aios::ingress

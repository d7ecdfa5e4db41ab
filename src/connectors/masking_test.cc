// SPDX-License-Identifier: Apache-2.0
// What the obligation `redact` lets out: arguments, path, query, body and headers.
#include "connectors/test/bench.h"

#include <string>

namespace aios::connectors {
namespace {

using test::Bench;

constexpr std::string_view far_manifest = R"(name: desk
kind: http
region: us
baseUrl: "http://192.168.0.17:8080/v1"
headers: {x-from: "{user} of desk@example.org"}
operations:
  tell: {method: POST, path: /notices, effect: none, body: ., resultSchema: {}}
  find:
    method: GET
    path: "/customers/{user}"
    effect: read
    arguments: {type: object, required: [user], properties: {user: {}}}
  search:
    method: GET
    path: "/search?q={text}&phone={number}&from=me@desk.example"
    effect: read
    arguments: {type: object, properties: {text: {}, number: {}}}
  joined:
    method: GET
    path: "/customers/{user}@{domain}"
    effect: read
    arguments: {type: object, properties: {user: {}, domain: {}}}
  mail:
    method: POST
    path: "/mails"
    effect: none
    body: '{to: (.user + "@" + .domain), from: "desk@example.org", text}'
    resultSchema: {}
  open:
    method: POST
    path: /cases
    effect: lookup
    arguments: {type: object, properties: {user: {}}}
    body: .
    resultSchema: {}
    lookup: {method: GET, path: "/cases/{user}", found: .body}
  pay:
    method: POST
    path: /refunds
    effect: key
    arguments: {type: object, properties: {cents: {type: integer}, account: {type: integer}}}
    body: .
    resultSchema: {}
)";

constexpr std::string_view far_policy = R"(package aios.connector_egress
import rego.v1
default allow := true
obligations contains {"type": "redact"} if input.connector.region != "eu"
obligations contains {"type": "project", "fields": ["kept"]} if input.arguments.kept
deny contains "no card may be asked for" if {
  "card" in input.content.personal
  input.connector.operation == "search"
}
)";

struct Far : Bench {
  Far() : Bench(std::string(far_manifest), far_policy) {}
  /// What prepare() refuses with, before anything is written of an intent.
  Error refusal(const std::string& operation, JsonObject arguments) {
    auto prepared = prepare(call(operation, std::move(arguments)));
    REQUIRE_FALSE(prepared.ok());
    CHECK(prepared.refusal().leaves.size() == 1);
    CHECK(client.requests.empty());
    return prepared.error();
  }
  net::ClientRequest sent(const std::string& operation, JsonObject arguments) {
    client.answer(200, "{}");
    const auto performed = perform(call(operation, std::move(arguments)));
    CHECK(performed.outcome == Outcome::done);
    REQUIRE(client.requests.size() == 1);
    return client.requests[0];
  }
};

TEST_CASE("connectors: under redact, texts, names of members and numbers leave as marks") {
  Far bench;
  const auto request = bench.sent(
      "tell",
      {{"text", "mail anna@example.org"}, {"anna@example.org", 1}, {"card", 4111111111111111}});
  CHECK(request.body == R"({"text":"mail [EMAIL_1]","[EMAIL_1]":1,"card":"[CARD_1]"})");
}

TEST_CASE("connectors: under redact, amounts, order numbers and times leave as they are") {
  Far bench;
  const JsonObject plain = {{"amount_cents", 123456789},
                            {"order_id", 20250001},
                            {"at", 1763740800},
                            {"at_ms", 1763740800123},
                            {"share", 0.25}};
  CHECK(bench.sent("tell", plain).body == to_text(plain));
}

TEST_CASE("connectors: policy sees a card that is a number, and a phone by its member's name") {
  Far bench;
  const Error card = bench.refusal("search", {{"text", "x"}, {"number", 4111111111111111}});
  CHECK(card.message().find("no card may be asked for") != std::string::npos);
}

TEST_CASE("connectors: under redact, a mark in the path is refused before an intent") {
  Far bench;
  for (const Json& user : {Json("anna@example.org"), Json(4111111111111111)}) {
    const Error error = bench.refusal("find", {{"user", user}});
    CHECK(error.code() == Code::policy_denied);
    CHECK(error.page() == 907);
    CHECK(error.text().find("anna@") == std::string::npos);
  }
  CHECK(bench.sent("find", {{"user", 20250001}}).url ==
        "http://192.168.0.17:8080/v1/customers/20250001");
}

TEST_CASE("connectors: under redact, a look-up that masking leads elsewhere is not begun") {
  Far bench;
  CHECK(bench.refusal("open", {{"user", "anna@example.org"}}).page() == 907);
}

TEST_CASE("connectors: under redact, the query is masked, what the manifest gives stays") {
  Far bench;
  const auto request = bench.sent("search", {{"text", "of anna@example.org"}, {"number", 7}});
  CHECK(request.url ==
        "http://192.168.0.17:8080/v1/search?q=of%20%5BEMAIL_1%5D&phone=7&from=me@desk.example");
  CHECK(request.headers.get("x-from") == "{user} of desk@example.org");
}

TEST_CASE("connectors: under redact, what a request puts together of harmless parts is refused") {
  Far bench;
  const JsonObject halves = {{"user", "anna"}, {"domain", "example.org"}, {"text", "hi"}};
  for (const char* operation : {"joined", "mail"}) {
    const Error error = bench.refusal(operation, halves);
    CHECK(error.code() == Code::policy_denied);
    CHECK(error.page() == 517);
    CHECK(error.message().find("email") != std::string::npos);
    CHECK(error.text().find("anna") == std::string::npos);
  }
  const Error phone = bench.refusal("search", {{"text", "x"}, {"number", "15112345678"}});
  CHECK(phone.page() == 517);
}

TEST_CASE("connectors: under redact, an address of the manifest's own may stand in the body") {
  Far bench;
  const auto request = bench.sent("mail", {{"user", "us"}, {"domain", "here"}, {"text", "hi"}});
  CHECK(request.body == R"({"to":"us@here","from":"desk@example.org","text":"hi"})");
}

TEST_CASE("connectors: what is looked through again is bound to the permit, not to prepare") {
  Far bench;
  auto prepared = bench.prepare(bench.call("mail", {{"user", "us"}, {"domain", "here"}}));
  REQUIRE(prepared.ok());
  prepared->call.arguments = JsonObject{{"user", "anna"}, {"domain", "example.org"}};
  const auto performed = bench.loop.run(bench.connectors.perform(bench.ctx, std::move(*prepared)));
  CHECK(performed.outcome == Outcome::failed);
  REQUIRE(performed.error.has_value());
  CHECK(performed.error->page() == 517);
  CHECK(bench.client.requests.empty());
}

TEST_CASE("connectors: a mark where the schema wants a number is refused") {
  Far bench;
  CHECK(bench.refusal("pay", {{"cents", 5}, {"account", 4111111111111111}}).page() == 902);
  CHECK(bench.sent("pay", {{"cents", 5}, {"account", 20250001}}).body ==
        R"({"cents":5,"account":20250001})");
}

TEST_CASE("connectors: what is projected away needs no mask, what is kept has one") {
  Far bench;
  const auto request = bench.sent("tell", {{"kept", "to b@x.org"}, {"a@x.org", "to a@x.org"}});
  CHECK(request.body == R"({"kept":"to [EMAIL_1]"})");
}

TEST_CASE("connectors: arguments too large to be looked through do not leave") {
  Far bench;
  auto prepared = bench.prepare(bench.call("tell", {{"text", std::string(5 << 20, 'a')}}));
  REQUIRE_FALSE(prepared.ok());
  CHECK(prepared.error().code() == Code::invalid_argument);
  CHECK(prepared.error().page() == 516);
  CHECK(bench.client.requests.empty());
}

}  // namespace
}  // namespace aios::connectors

// SPDX-License-Identifier: Apache-2.0
// Two tenants whose connectors have the same name: nothing of one reaches the other.
#include "connectors/test/bench.h"

#include <string>

namespace aios::connectors {
namespace {

using test::Bench;

constexpr std::string_view other_manifest = R"(name: desk
kind: http
region: us
baseUrl: "http://other.example/api"
auth: {header: {name: x-key, secret: desk-token}}
limits: {timeout: PT2S, concurrency: 1, breaker: {failures: 2, openFor: PT1S}}
operations:
  tell: {method: PUT, path: /words, effect: read, body: '{said: .text}'}
)";

constexpr std::string_view other_policy = R"(package aios.connector_egress
import rego.v1
default allow := true
deny contains "this tenant says nothing" if input.arguments.text == "hello"
obligations contains {"type": "redact"}
)";

/// The bench's own tenant, and another one beside it.
struct Two : Bench {
  Two() {
    other.tenant = TenantId::parse("other").value();
    REQUIRE(guard.load(other.tenant, {{"p.rego", std::string(other_policy)}}, JsonObject()).ok());
    CHECK(connectors.load(other.tenant, {{"desk.yaml", std::string(other_manifest)}}, JsonObject())
              .empty());
  }
  govern::Refusable<Prepared> prepare_as(const Context& who, const OperationCall& what) {
    return loop.run(connectors.prepare(who, what));
  }
  Performed perform_as(const Context& who, const OperationCall& what) {
    auto prepared = prepare_as(who, what);
    REQUIRE(prepared.ok());
    return loop.run(connectors.perform(who, std::move(*prepared)));
  }
  std::string breaker_of(const Context& who) { return connectors.list(who.tenant)[0].breaker; }
  Context other;
};

TEST_CASE("connectors: each tenant's call goes to its own system, with its own secret and body") {
  Two bench;
  const auto call = bench.call("tell", {{"text", "mail a@x.org"}});
  bench.client.answer(200, "{}");
  bench.client.answer(200, "{}");
  CHECK(bench.perform_as(bench.ctx, call).outcome == Outcome::done);
  CHECK(bench.perform_as(bench.other, call).outcome == Outcome::done);
  const auto& requests = bench.client.requests;
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].url == "http://desk.example:8080/v1/notices");
  CHECK(requests[0].headers.get("authorization") == "Bearer s3cret");
  CHECK(requests[0].headers.get("x-key").empty());
  CHECK(requests[0].body == R"({"text":"mail a@x.org"})");
  CHECK(requests[1].url == "http://other.example/api/words");
  CHECK(requests[1].headers.get("x-key") == "s3cret-of-other");
  CHECK(requests[1].headers.get("authorization").empty());
  CHECK(requests[1].body == R"({"said":"mail [EMAIL_1]"})");
}

TEST_CASE("connectors: each tenant's policy rules its own calls alone") {
  Two bench;
  const auto call = bench.call("tell", {{"text", "hello"}});
  auto denied = bench.prepare_as(bench.other, call);
  REQUIRE_FALSE(denied.ok());
  CHECK(denied.error().message().find("says nothing") != std::string::npos);
  CHECK(bench.prepare_as(bench.ctx, call).ok());
  // An operation that only the first tenant's manifest has.
  auto missing = bench.prepare_as(bench.other, bench.call("pay", {{"cents", 5}}));
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().page() == 901);
}

TEST_CASE("connectors: a breaker opens for the tenant whose system fails, and for no other") {
  Two bench;
  const auto call = bench.call("tell", {{"text", "hi"}});
  for (int i = 0; i < 2; ++i) {
    bench.client.lose();
    bench.perform_as(bench.ctx, call);
  }
  CHECK(bench.breaker_of(bench.ctx) == "open");
  CHECK(bench.breaker_of(bench.other) == "closed");
  bench.client.answer(200, "{}");
  CHECK(bench.perform_as(bench.other, call).outcome == Outcome::done);
  CHECK(bench.breaker_of(bench.ctx) == "open");  // the other's success says nothing about it
  CHECK(bench.client.requests.size() == 3);
}

TEST_CASE("connectors: what one tenant loads anew leaves the other's connectors and breakers") {
  Two bench;
  const auto call = bench.call("tell", {{"text", "hi"}});
  for (int i = 0; i < 2; ++i) {
    bench.client.lose();
    bench.perform_as(bench.other, call);
  }
  CHECK(bench.connectors
            .load(bench.ctx.tenant, {{"desk.yaml", std::string(test::desk_manifest)}},
                  JsonObject{{"url", "http://new.example"}})
            .empty());
  CHECK(bench.breaker_of(bench.other) == "open");
  CHECK(bench.connectors.load(bench.ctx.tenant, {}, JsonObject()).empty());
  CHECK(bench.connectors.list(bench.ctx.tenant).empty());
  CHECK(bench.connectors.list(bench.other.tenant).size() == 1);
}

}  // namespace
}  // namespace aios::connectors

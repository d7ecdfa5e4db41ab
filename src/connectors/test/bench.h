// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/test/bench: connectors over a client that answers as it is told, on simulated time.

#include "connectors/connectors.h"
#include "runtime/sim.h"
#include "runtime/task_group.h"

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace aios::connectors::test {

/// Answers in the order given, remembers what was asked.
class FakeClient final : public net::Client {
 public:
  Task<Result<net::Response>> send(Context ctx, net::ClientRequest request) override {
    requests.push_back(request);
    deadlines.push_back(ctx.deadline);
    if (wait) {
      auto rested = co_await runtime::sleep_for(ctx, *wait);
      if (!rested.ok()) {
        co_return Error(rested.error().code(), "no answer in time", Retry::whole_step);
      }
    }
    if (answers.empty()) {
      co_return Error(Code::unavailable, "nobody answers", Retry::same_call);
    }
    auto next = std::move(answers.front());
    answers.pop_front();
    co_return next;
  }
  void answer(int status, std::string body) {
    net::Response response = net::text_response(status, std::move(body), "application/json");
    answers.emplace_back(std::move(response));
  }
  void lose() { answers.emplace_back(Error(Code::unavailable, "reset", Retry::whole_step)); }
  void refuse() { answers.emplace_back(Error(Code::unavailable, "refused", Retry::same_call)); }

  std::deque<Result<net::Response>> answers;
  std::vector<net::ClientRequest> requests;
  std::vector<Instant> deadlines;
  std::optional<Duration> wait;
};

inline constexpr std::string_view desk_manifest = R"(name: desk
kind: http
region: eu
baseUrl: "${params.url}/v1/"
auth: {bearer: {secret: desk-token}}
headers: {x-from: aios}
limits: {timeout: PT2S, concurrency: 2, retries: 4, breaker: {failures: 2, openFor: PT1S}}
operations:
  find:
    method: GET
    path: "/customers/{email}"
    effect: read
    absent: [404]
    arguments: {type: object, required: [email], properties: {email: {type: string}}}
    result: '.body | {id}'
  open:
    method: POST
    path: /cases
    effect: lookup
    body: '{reference: $effect, run: $run, text}'
    result: .body.id
    resultSchema: {type: [integer, string]}
    lookup: {method: GET, path: "/cases?reference={effect_id}", found: '.body.cases[0].id'}
  pay:
    method: POST
    path: /refunds
    effect: key
    keyHeader: Idempotency-Key
    arguments: {type: object, required: [cents], properties: {cents: {type: integer}}}
    body: '{cents}'
    resultSchema: {type: object, properties: {cents: {minimum: 1}}}
  tell: {method: POST, path: /notices, effect: none, body: ., resultSchema: {type: object}}
errors:
  - {status: [409], code: already_exists}
  - {status: [502, 308], outcome: failed}
)";

inline constexpr std::string_view policy = R"(package aios.connector_egress
import rego.v1
default allow := false
allow if true
deny contains "no bank account may leave" if "iban" in input.content.personal
deny contains msg if {
  input.connector.operation == "pay"
  input.arguments.cents > 1000
  msg := sprintf("too much: %v for %v in %v", [input.arguments.cents, input.connector.effect,
    input.connector.region])
}
obligations contains {"type": "redact"} if input.arguments.mask
obligations contains {"type": "dance"} if input.arguments.dance
)";

struct Bench {
  explicit Bench(std::string manifest = std::string(desk_manifest), std::string_view rego = policy)
      : connectors(guard, client, secrets(), metrics, loop.clock()) {
    ctx.tenant = default_tenant();
    REQUIRE(
        guard.load(ctx.tenant, {{"policies/egress.rego", std::string(rego)}}, JsonObject()).ok());
    const auto errors =
        connectors.load(ctx.tenant, {{"connectors/desk/connector.yaml", std::move(manifest)}},
                        JsonObject{{"url", "http://desk.example:8080"}});
    for (const Error& error : errors) {
      FAIL_CHECK(error.text());
    }
  }
  static SecretSource secrets() {
    return [](const TenantId& tenant, std::string_view name) -> Result<std::string> {
      if (name == "desk-token") {
        return tenant == default_tenant() ? "s3cret" : "s3cret-of-" + tenant.text();
      }
      return Error(Code::not_found, "no such secret");
    };
  }
  OperationCall call(std::string operation, JsonObject arguments) const {
    OperationCall out;
    out.connector = "desk";
    out.operation = std::move(operation);
    out.arguments = std::move(arguments);
    out.effect_id = "eff_1";
    out.run_id = "run_1";
    out.step = "/do/0";
    return out;
  }
  govern::Refusable<Prepared> prepare(const OperationCall& what) {
    return loop.run(connectors.prepare(ctx, what));
  }
  Performed perform(const OperationCall& what) {
    auto prepared = prepare(what);
    REQUIRE(prepared.ok());
    return loop.run(connectors.perform(ctx, std::move(*prepared)));
  }
  LookedUp lookup(OperationCall what) {
    what.purpose = Purpose::lookup;
    auto prepared = prepare(what);
    REQUIRE(prepared.ok());
    CHECK(prepared->intent.bytes.empty());
    return loop.run(connectors.lookup(ctx, std::move(*prepared)));
  }

  runtime::SimExecutor loop;
  govern::Guard guard;
  FakeClient client;
  observe::Metrics metrics;
  Connectors connectors;
  Context ctx;
};

}  // namespace aios::connectors::test

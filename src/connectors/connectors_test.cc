// SPDX-License-Identifier: Apache-2.0
#include "connectors/connectors.h"

#include "connectors/test/bench.h"
#include "govern/opening.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace aios::connectors {
namespace {

using std::chrono::milliseconds;
using test::Bench;

TEST_CASE("connectors: a read is asked with path, secret and headers, and its result is shaped") {
  Bench bench;
  bench.client.answer(200, R"({"id": "C1", "more": true})");
  auto performed = bench.perform(bench.call("find", {{"email", "a/b@x.y"}}));
  CHECK(performed.outcome == Outcome::done);
  CHECK(to_text(performed.result) == R"({"id":"C1"})");
  REQUIRE(bench.client.requests.size() == 1);
  const auto& request = bench.client.requests[0];
  CHECK(request.method == "GET");
  CHECK(request.url == "http://desk.example:8080/v1/customers/a%2Fb%40x.y");
  CHECK(request.headers.get("authorization") == "Bearer s3cret");
  CHECK(request.headers.get("x-from") == "aios");
  CHECK(request.body.empty());
}

TEST_CASE("connectors: the body has the effect id, and a key operation sends it as its key") {
  Bench bench;
  bench.client.answer(201, R"({"id": 7})");
  auto opened = bench.perform(bench.call("open", {{"text", "hi"}}));
  CHECK(opened.result == Json(7));
  CHECK(bench.client.requests[0].body == R"({"reference":"eff_1","run":"run_1","text":"hi"})");
  CHECK(bench.client.requests[0].headers.get("content-type") == "application/json");
  bench.client.answer(201, "{}");
  bench.perform(bench.call("pay", {{"cents", 5}}));
  CHECK(bench.client.requests[1].headers.get("idempotency-key") == "eff_1");
}

TEST_CASE("connectors: an attempt has the operation's timeout") {
  Bench bench;
  bench.client.answer(200, "{}");
  const Instant before = bench.loop.clock().instant();
  bench.perform(bench.call("tell", {}));
  CHECK(bench.client.deadlines[0] - before == Duration(std::chrono::seconds(2)));
}

TEST_CASE("connectors: a lost answer is unknown for effects and failed for reads") {
  for (const char* operation : {"open", "pay", "tell"}) {
    Bench bench;
    bench.client.lose();
    auto performed = bench.perform(bench.call(operation, {{"cents", 5}}));
    CAPTURE(operation);
    CHECK(performed.outcome == Outcome::unknown);
    REQUIRE(performed.error.has_value());
  }
  Bench bench;
  bench.client.lose();
  auto performed = bench.perform(bench.call("find", {{"email", "e"}}));
  CHECK(performed.outcome == Outcome::failed);
  CHECK(performed.error->retry() == Retry::same_call);
}

TEST_CASE("connectors: what was never sent is failed, also for effects") {
  Bench bench;
  bench.client.refuse();
  auto performed = bench.perform(bench.call("tell", {}));
  CHECK(performed.outcome == Outcome::failed);
  CHECK(performed.error->retry() == Retry::same_call);
  CHECK_FALSE(performed.blocked);
  CHECK(performed.spared);
  CHECK_FALSE(performed.leaf.bytes.empty());
}

struct StatusCase {
  int status;
  const char* operation;
  Outcome outcome;
  Code code;
  Retry retry;
};

TEST_CASE("connectors: a status means what is known of the effect, and the manifest may differ") {
  for (const StatusCase& item : {
           StatusCase{500, "tell", Outcome::unknown, Code::unavailable, Retry::same_call},
           StatusCase{503, "pay", Outcome::unknown, Code::unavailable, Retry::same_call},
           StatusCase{500, "find", Outcome::failed, Code::unavailable, Retry::same_call},
           StatusCase{502, "tell", Outcome::failed, Code::unavailable, Retry::same_call},
           StatusCase{429, "tell", Outcome::failed, Code::rate_limited, Retry::same_call},
           StatusCase{400, "tell", Outcome::failed, Code::invalid_argument, Retry::never},
           StatusCase{403, "tell", Outcome::failed, Code::permission_denied, Retry::never},
           StatusCase{404, "tell", Outcome::failed, Code::not_found, Retry::never},
           StatusCase{409, "tell", Outcome::failed, Code::already_exists, Retry::never},
           StatusCase{301, "tell", Outcome::unknown, Code::failed_precondition, Retry::never},
           StatusCase{302, "tell", Outcome::unknown, Code::failed_precondition, Retry::never},
           StatusCase{303, "pay", Outcome::unknown, Code::failed_precondition, Retry::never},
           StatusCase{307, "open", Outcome::unknown, Code::failed_precondition, Retry::never},
           StatusCase{308, "tell", Outcome::failed, Code::failed_precondition, Retry::never},
           StatusCase{302, "find", Outcome::failed, Code::failed_precondition, Retry::never},
           StatusCase{408, "tell", Outcome::unknown, Code::unavailable, Retry::same_call},
       }) {
    Bench bench;
    bench.client.answer(item.status, "{}");
    auto performed = bench.perform(bench.call(item.operation, {{"cents", 5}, {"email", "e"}}));
    CAPTURE(item.status);
    CHECK(performed.outcome == item.outcome);
    REQUIRE(performed.error.has_value());
    CHECK(performed.error->code() == item.code);
    CHECK(performed.error->retry() == item.retry);
    CHECK(performed.error->page() == 904);
  }
}

TEST_CASE("connectors: Retry-After of a 429 is kept") {
  Bench bench;
  auto response = net::text_response(429, "{}", "application/json");
  response.headers.add("retry-after", "3");
  bench.client.answers.emplace_back(response);
  auto performed = bench.perform(bench.call("tell", {}));
  REQUIRE(performed.error->retry_after().has_value());
  CHECK(*performed.error->retry_after() == std::chrono::seconds(3));
}

TEST_CASE("connectors: a status declared as absent gives null") {
  Bench bench;
  bench.client.answer(404, "{}");
  auto performed = bench.perform(bench.call("find", {{"email", "e"}}));
  CHECK(performed.outcome == Outcome::done);
  CHECK(performed.result.is_null());
}

TEST_CASE("connectors: a success that cannot be read is not known to be one") {
  Bench bench;
  bench.client.answer(200, "{broken");
  auto told = bench.perform(bench.call("tell", {}));
  CHECK(told.outcome == Outcome::unknown);
  CHECK(told.error->page() == 905);
  bench.client.answer(200, "[1]");
  auto opened = bench.perform(bench.call("open", {}));
  CHECK(opened.outcome == Outcome::unknown);
  bench.client.answer(200, "[1]");
  auto found = bench.perform(bench.call("find", {{"email", "e"}}));
  CHECK(found.outcome == Outcome::failed);
}

TEST_CASE("connectors: a success in another form than the manifest's is not known to be one") {
  struct Case {
    const char* operation;
    const char* answer;
  };
  for (const Case& item :
       {Case{"tell", R"([1])"}, Case{"pay", R"({"cents": -5})"},
        Case{"open", R"({"error": "insufficient rights"})"}, Case{"open", R"({"id": {"x": 1}})"}}) {
    CAPTURE(std::string(item.answer));
    Bench bench;
    bench.client.answer(200, item.answer);
    const auto performed = bench.perform(bench.call(item.operation, {{"cents", 5}}));
    CHECK(performed.outcome == Outcome::unknown);
    REQUIRE(performed.error.has_value());
    CHECK(performed.error->page() == 905);
  }
  Bench bench;
  bench.client.answer(200, R"({"cases": [{"id": {"x": 1}}]})");
  const auto looked_up = bench.lookup(bench.call("open", {}));
  REQUIRE(looked_up.error.has_value());
  CHECK(looked_up.error->page() == 905);
}

TEST_CASE("connectors: a look-up's window is the manifest's, or ten times the attempt") {
  const auto settle = [](std::string_view member, std::string_view timeout) {
    std::string manifest(test::desk_manifest);
    manifest.insert(manifest.find("'.body.cases[0].id'") + 19, member);
    manifest.replace(manifest.find("PT2S"), 4, timeout);
    Bench bench(manifest);
    return bench.connectors.describe(bench.ctx.tenant, "desk", "open").value().settle;
  };
  CHECK(settle(", settle: PT5S", "PT2S") == Duration(std::chrono::seconds(5)));
  CHECK(settle(", settle: PT0S", "PT2S") == Duration(0));
  CHECK(settle("", "PT2S") == Duration(std::chrono::seconds(30)));
  CHECK(settle("", "PT20S") == Duration(std::chrono::seconds(200)));
}

TEST_CASE("connectors: a look-up says that it happened, that it did not, or that nobody knows") {
  Bench bench;
  const auto call = bench.call("open", {});
  bench.client.answer(200, R"({"cases": [{"id": 9}]})");
  auto happened = bench.lookup(call);
  CHECK_FALSE(happened.error.has_value());
  REQUIRE(happened.result.has_value());
  CHECK(*happened.result == Json(9));
  CHECK(bench.client.requests[0].url == "http://desk.example:8080/v1/cases?reference=eff_1");
  bench.client.answer(200, R"({"cases": []})");
  auto not_happened = bench.lookup(call);
  CHECK_FALSE(not_happened.error.has_value());
  CHECK_FALSE(not_happened.result.has_value());
  for (const int status : {404, 500}) {
    bench.client.answer(status, "{}");
    CHECK(bench.lookup(call).error.has_value());
  }
}

TEST_CASE("connectors: arguments are checked before the guard is asked, and never fill odd paths") {
  Bench bench;
  auto missing = bench.prepare(bench.call("find", {}));
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code() == Code::invalid_argument);
  CHECK(missing.error().page() == 902);
  for (const char* odd : {"", ".", ".."}) {
    auto performed = bench.perform(bench.call("find", {{"email", odd}}));
    CHECK(performed.outcome == Outcome::failed);
    CHECK(performed.error->page() == 903);
  }
  CHECK(bench.client.requests.empty());
}

TEST_CASE("connectors: the guard sees connector, arguments and personal data, and may refuse") {
  Bench bench;
  auto much = bench.prepare(bench.call("pay", {{"cents", 5000}}));
  REQUIRE_FALSE(much.ok());
  CHECK(much.error().code() == Code::policy_denied);
  CHECK(much.error().message().find("too much: 5000 for key in eu") != std::string::npos);
  REQUIRE(much.refusal().leaves.size() == 1);
  CHECK(much.refusal().leaves[0].bytes.find("refused") != std::string::npos);
  auto account =
      bench.prepare(bench.call("tell", {{"text", "my account is DE89 3704 0044 0532 0130 00"}}));
  CHECK_FALSE(account.ok());
  CHECK(bench.client.requests.empty());
}

TEST_CASE("connectors: obligations are carried out, and unknown ones refuse") {
  Bench bench;
  bench.client.answer(200, "{}");
  bench.perform(bench.call("tell", {{"text", "write to anna@example.org"}, {"mask", true}}));
  REQUIRE(bench.client.requests.size() == 1);
  CHECK(bench.client.requests[0].body.find("anna@") == std::string::npos);
  CHECK(bench.client.requests[0].body.find("[EMAIL_1]") != std::string::npos);
  auto dance = bench.prepare(bench.call("tell", {{"dance", true}}));
  REQUIRE_FALSE(dance.ok());
  CHECK(dance.error().code() == Code::policy_denied);
  CHECK(dance.refusal().leaves.size() == 1);
}

TEST_CASE("connectors: an open breaker blocks without an attempt, then one call probes") {
  Bench bench;
  const auto call = bench.call("tell", {});
  for (int i = 0; i < 2; ++i) {
    bench.client.lose();
    bench.perform(call);
  }
  CHECK(bench.connectors.list(bench.ctx.tenant)[0].breaker == "open");
  auto blocked = bench.perform(call);
  CHECK(blocked.blocked);
  CHECK(blocked.outcome == Outcome::failed);
  CHECK(blocked.leaf.bytes.find(R"("outcome":"blocked")") != std::string::npos);
  REQUIRE(blocked.error->retry_after().has_value());
  CHECK(blocked.error->page() == 908);
  CHECK(bench.client.requests.size() == 2);
  bench.loop.advance(*blocked.error->retry_after());
  bench.client.answer(200, "{}");
  CHECK(bench.perform(call).outcome == Outcome::done);
  CHECK(bench.connectors.list(bench.ctx.tenant)[0].breaker == "closed");
}

TEST_CASE(
    "connectors: a failed probe is no try of its caller's, and who waits hears of the good one") {
  Bench bench;
  std::vector<std::string> heard;
  bench.connectors.on_recovered(
      [&heard](const TenantId&, const std::string& connector) { heard.push_back(connector); });
  const auto call = bench.call("find", {{"email", "e"}});
  for (int i = 0; i < 2; ++i) {
    bench.client.answer(503, "{}");
    CHECK_FALSE(bench.perform(call).spared);
  }
  bench.loop.advance(milliseconds(1'000));
  bench.client.answer(503, "{}");
  const auto probed = bench.perform(call);
  CHECK_FALSE(probed.blocked);
  CHECK(probed.outcome == Outcome::failed);
  CHECK(probed.spared);
  CHECK(heard.empty());
  bench.loop.advance(milliseconds(2'000));
  bench.client.answer(200, "{}");
  CHECK(bench.perform(call).outcome == Outcome::done);
  CHECK(heard == std::vector<std::string>{"desk"});
}

TEST_CASE("connectors: client errors do not open the breaker") {
  Bench bench;
  for (int i = 0; i < 5; ++i) {
    bench.client.answer(404, "{}");
    bench.perform(bench.call("tell", {}));
  }
  CHECK(bench.connectors.list(bench.ctx.tenant)[0].breaker == "closed");
}

Task<void> perform_one(Connectors* connectors, Context ctx, Prepared prepared,
                       std::vector<Performed>* out) {
  auto performing = connectors->perform(std::move(ctx), std::move(prepared));
  auto performed = co_await std::move(performing);
  out->push_back(std::move(performed));
}

TEST_CASE("connectors: attempts beyond the concurrency wait their turn, within their deadline") {
  Bench bench;
  bench.client.wait = milliseconds(100);
  std::vector<Performed> done;
  runtime::TaskGroup group(bench.loop);
  const auto call = bench.call("tell", {});
  for (int i = 0; i < 4; ++i) {
    bench.client.answer(200, "{}");
    auto prepared = bench.prepare(call);
    REQUIRE(prepared.ok());
    Context ctx = bench.ctx;
    if (i == 3) {
      ctx.deadline = bench.loop.clock().instant() + Duration(milliseconds(50));
    }
    group.spawn(perform_one(&bench.connectors, ctx, std::move(*prepared), &done));
  }
  bench.loop.advance(milliseconds(90));
  CHECK(bench.client.requests.size() == 2);
  REQUIRE(done.size() == 1);  // the one whose deadline has passed while it waited
  CHECK(done[0].blocked);
  CHECK(done[0].outcome == Outcome::failed);
  bench.loop.run(group.join());
  CHECK(bench.client.requests.size() == 3);
  CHECK(done.size() == 4);
}

TEST_CASE("connectors: a secret that is not there blocks before anything is sent, and is named") {
  std::string manifest(test::desk_manifest);
  manifest.replace(manifest.find("desk-token"), 10, "other-name");
  Bench bench(manifest);
  for (int i = 0; i < 5; ++i) {  // more often than it takes to open the breaker
    auto performed = bench.perform(bench.call("tell", {}));
    CHECK(performed.outcome == Outcome::failed);
    CHECK(performed.blocked);
    CHECK(performed.leaf.bytes.find(R"("outcome":"blocked")") != std::string::npos);
    CHECK(performed.error->page() == 906);
    CHECK(performed.error->retry_after().has_value());
  }
  CHECK(bench.connectors.list(bench.ctx.tenant)[0].breaker == "closed");
  auto asked = bench.lookup(bench.call("open", {}));
  REQUIRE(asked.error.has_value());
  CHECK(asked.error->page() == 906);
  CHECK(asked.error->retry() == Retry::same_call);
  CHECK(asked.leaf.bytes.empty());
  CHECK(bench.client.requests.empty());
  const auto missing = bench.connectors.missing_secrets(bench.ctx.tenant);
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].text().find("connector 'desk'") != std::string::npos);
  CHECK(Bench().connectors.missing_secrets(bench.ctx.tenant).empty());
}

TEST_CASE("connectors: unknown names say the nearest one, and tenants do not see each other's") {
  Bench bench;
  auto operation = bench.connectors.describe(bench.ctx.tenant, "desk", "fnd");
  REQUIRE_FALSE(operation.ok());
  CHECK(operation.error().page() == 901);
  CHECK(operation.error().message().find("did you mean 'find'") != std::string::npos);
  auto connector = bench.connectors.describe(bench.ctx.tenant, "desc", "find");
  REQUIRE_FALSE(connector.ok());
  CHECK(connector.error().message().find("did you mean 'desk'") != std::string::npos);
  auto other = TenantId::parse("other");
  REQUIRE(other.ok());
  CHECK_FALSE(bench.connectors.describe(*other, "desk", "find").ok());
  auto found = bench.connectors.describe(bench.ctx.tenant, "desk", "pay");
  REQUIRE(found.ok());
  CHECK(found->effect == EffectClass::key);
  CHECK(found->backoff.retries_max == 4);
  CHECK(found->timeout == Duration(std::chrono::seconds(2)));
}

}  // namespace
}  // namespace aios::connectors

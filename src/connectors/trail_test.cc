// SPDX-License-Identifier: Apache-2.0
// What the audit leaves of a call tell apart: tried, turned away, asked about.
#include "connectors/test/bench.h"
#include "govern/opening.h"

#include <string>

namespace aios::connectors {
namespace {

using test::Bench;

bool says(const store::AuditLeaf& leaf, std::string_view text) {
  return leaf.bytes.find(text) != std::string::npos;
}

/// Opens the breaker of the bench's connector.
void break_it(Bench& bench) {
  for (int i = 0; i < 2; ++i) {
    bench.client.lose();
    bench.perform(bench.call("tell", {}));
  }
  REQUIRE(bench.connectors.list(bench.ctx.tenant)[0].breaker == "open");
}

TEST_CASE("connectors: a look-up's leaf says what came of it, who allowed it and what was asked") {
  Bench bench;
  const auto call = bench.call("open", {{"text", "very private words"}});
  bench.client.answer(200, R"({"cases": [{"id": 9}]})");
  const auto found = bench.lookup(call);
  CHECK(says(found.leaf, R"("kind":"effect_lookup")"));
  CHECK(says(found.leaf, R"("outcome":"found")"));
  CHECK(says(found.leaf, R"("effect_id":"eff_1")"));
  CHECK(says(found.leaf, R"("decisions":[{)"));
  CHECK_FALSE(says(found.leaf, "private"));
  const Json leaf = parse_json(found.leaf.bytes).value();
  CHECK(found.request.find("reference=eff_1") != std::string::npos);
  CHECK(govern::check_opening(leaf, "request", found.leaf.salt, found.request).ok());
  CHECK(govern::check_opening(leaf, "answer", found.leaf.salt, found.answer).ok());
  bench.client.answer(200, R"({"cases": []})");
  CHECK(says(bench.lookup(call).leaf, R"("outcome":"absent")"));
  bench.client.lose();
  const auto lost = bench.lookup(call);
  CHECK(says(lost.leaf, R"("outcome":"failed")"));
  CHECK(says(lost.leaf, R"("code":"unavailable")"));
}

TEST_CASE("connectors: a look-up that policy refuses is told apart from an attempt") {
  Bench bench;
  auto call = bench.call("open", {{"text", "my account is DE89 3704 0044 0532 0130 00"}});
  call.purpose = Purpose::lookup;
  const auto prepared = bench.prepare(call);
  REQUIRE_FALSE(prepared.ok());
  const auto& leaves = prepared.refusal().leaves;
  REQUIRE(leaves.size() == 1);
  CHECK(says(leaves[0], R"("kind":"effect_lookup")"));
  CHECK(says(leaves[0], R"("outcome":"refused")"));
}

TEST_CASE("connectors: a look-up that is turned away asked nobody and has no leaf") {
  Bench bench;
  break_it(bench);
  const auto asked = bench.lookup(bench.call("open", {}));
  REQUIRE(asked.error.has_value());
  CHECK(asked.error->page() == 908);
  CHECK(asked.leaf.bytes.empty());
  CHECK(bench.client.requests.size() == 2);
}

TEST_CASE("connectors: an open breaker is told of before there is an intent") {
  Bench bench;
  break_it(bench);
  for (int i = 0; i < 3; ++i) {
    const auto prepared = bench.prepare(bench.call("tell", {}));
    REQUIRE(prepared.ok());
    CHECK(prepared->intent.bytes.empty());
    REQUIRE(prepared->blocked.has_value());
    CHECK(prepared->blocked->page() == 908);
    CHECK(prepared->blocked->retry_after().has_value());
  }
  CHECK(bench.prepare(bench.call("pay", {{"cents", 5000}})).error().code() == Code::policy_denied);
}

TEST_CASE("connectors: to prepare is not to probe, and who comes second has an outcome") {
  Bench bench;
  break_it(bench);
  bench.loop.advance(std::chrono::seconds(1));
  const auto call = bench.call("tell", {});
  auto first = bench.prepare(call);
  auto second = bench.prepare(call);
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  CHECK_FALSE(first->blocked.has_value());
  CHECK_FALSE(second->blocked.has_value());
  CHECK(says(second->intent, R"("outcome":"admitted")"));
  bench.client.lose();
  const auto probed = bench.loop.run(bench.connectors.perform(bench.ctx, std::move(*first)));
  CHECK_FALSE(probed.blocked);
  const auto late = bench.loop.run(bench.connectors.perform(bench.ctx, std::move(*second)));
  CHECK(late.blocked);
  CHECK(says(late.leaf, R"("kind":"effect_outcome")"));
  CHECK(says(late.leaf, R"("outcome":"blocked")"));
  CHECK(govern::parts_of(parse_json(late.leaf.bytes).value()).empty());
  CHECK(bench.client.requests.size() == 3);
}

TEST_CASE("connectors: a missing secret is told of before there is an intent") {
  std::string manifest(test::desk_manifest);
  manifest.replace(manifest.find("desk-token"), 10, "other-name");
  Bench bench(manifest);
  const auto prepared = bench.prepare(bench.call("tell", {}));
  REQUIRE(prepared.ok());
  REQUIRE(prepared->blocked.has_value());
  CHECK(prepared->blocked->page() == 906);
  CHECK(prepared->intent.bytes.empty());
}

}  // namespace
}  // namespace aios::connectors

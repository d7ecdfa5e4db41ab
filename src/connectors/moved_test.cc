// SPDX-License-Identifier: Apache-2.0
// A deployment between a call's decision and the call: what was decided for one system is not sent
// to another.
#include "connectors/test/bench.h"

#include <string>

namespace aios::connectors {
namespace {

using test::Bench;

bool says(const store::AuditLeaf& leaf, std::string_view part) {
  return leaf.bytes.find(part) != std::string::npos;
}

/// The bench's manifest with one thing in another way.
std::string changed(std::string_view from, std::string_view to) {
  std::string manifest(test::desk_manifest);
  manifest.replace(manifest.find(from), from.size(), to);
  return manifest;
}

void deploy(Bench& bench, std::string manifest, const std::string& url) {
  CHECK(bench.connectors
            .load(bench.ctx.tenant, {{"desk.yaml", std::move(manifest)}}, JsonObject{{"url", url}})
            .empty());
}

constexpr const char* same_url = "http://desk.example:8080";

}  // namespace

TEST_CASE("connectors: what was admitted for a region or an address is not sent to another") {
  for (const bool region : {true, false}) {
    CAPTURE(region);
    Bench bench;
    bench.client.answer(200, "{}");
    auto prepared = bench.prepare(bench.call("tell", {{"text", "hi"}}));
    REQUIRE(prepared.ok());
    deploy(bench, region ? changed("region: eu", "region: us") : std::string(test::desk_manifest),
           region ? same_url : "http://elsewhere.example");
    const auto performed =
        bench.loop.run(bench.connectors.perform(bench.ctx, std::move(*prepared)));
    CHECK(bench.client.requests.empty());
    CHECK(performed.outcome == Outcome::failed);
    CHECK(performed.blocked);
    REQUIRE(performed.error);
    CHECK(performed.error->page() == 910);
    CHECK(performed.error->retry_after().has_value());
    CHECK(says(performed.leaf, R"("outcome":"blocked")"));
    CHECK(bench.perform(bench.call("tell", {{"text", "hi"}})).outcome == Outcome::done);
  }
}

TEST_CASE("connectors: a look-up is not asked of another system than was admitted") {
  Bench bench;
  auto call = bench.call("open", {});
  call.purpose = Purpose::lookup;
  auto prepared = bench.prepare(call);
  REQUIRE(prepared.ok());
  deploy(bench, std::string(test::desk_manifest), "http://elsewhere.example");
  const auto asked = bench.loop.run(bench.connectors.lookup(bench.ctx, std::move(*prepared)));
  REQUIRE(asked.error);
  CHECK(asked.error->page() == 910);
  CHECK(bench.client.requests.empty());
}

TEST_CASE("connectors: a call is made as it was admitted, whatever its manifest says since") {
  Bench bench;
  bench.client.answer(200, "{}");
  auto prepared = bench.prepare(bench.call("tell", {{"text", "hi"}}));
  REQUIRE(prepared.ok());
  deploy(bench, changed("path: /notices", "path: /everybody"), same_url);
  const auto performed = bench.loop.run(bench.connectors.perform(bench.ctx, std::move(*prepared)));
  CHECK(performed.outcome == Outcome::done);
  REQUIRE(bench.client.requests.size() == 1);
  CHECK(bench.client.requests[0].url == "http://desk.example:8080/v1/notices");
}

TEST_CASE("connectors: who is told the effect's id is known from the manifest") {
  Bench bench;
  const auto told = [&](std::string_view operation) {
    return bench.connectors.describe(bench.ctx.tenant, "desk", operation)->names_effect;
  };
  CHECK(told("open"));
  CHECK(told("pay"));
  CHECK_FALSE(told("tell"));
  CHECK_FALSE(told("find"));
}

}  // namespace aios::connectors

// SPDX-License-Identifier: Apache-2.0
// A call that policy allowed to one tenant is not made for another.
#include "connectors/test/bench.h"

namespace aios::connectors {
namespace {

using test::Bench;

/// A bench where a second tenant has the same connector.
struct TwoTenants : Bench {
  Context theirs = system_context(TenantId::parse("acme").value(), "test");

  TwoTenants() {
    const ManifestFile file{"connectors/desk/connector.yaml", std::string(test::desk_manifest)};
    const JsonObject params{{"url", "http://desk.example:8080"}};
    REQUIRE(connectors.load(theirs.tenant, {file}, params).empty());
  }
};

}  // namespace

TEST_CASE("connectors: an attempt that was allowed to one tenant is not made for another") {
  TwoTenants bench;
  bench.client.answer(200, R"({"cents": 5})");
  const auto call = bench.call("pay", {{"cents", 5}});
  auto prepared = bench.prepare(call);
  REQUIRE(prepared.ok());
  const auto performed =
      bench.loop.run(bench.connectors.perform(bench.theirs, std::move(*prepared)));
  CHECK(performed.outcome == Outcome::failed);
  REQUIRE(performed.error);
  CHECK(performed.error->code() == Code::internal);
  CHECK(performed.request.empty());
  CHECK(bench.client.requests.empty());
}

TEST_CASE("connectors: a look-up that was allowed to one tenant is not made for another") {
  TwoTenants bench;
  bench.client.answer(200, R"({"cases": [{"id": 9}]})");
  auto call = bench.call("open", {});
  call.purpose = Purpose::lookup;
  auto prepared = bench.prepare(call);
  REQUIRE(prepared.ok());
  const auto found = bench.loop.run(bench.connectors.lookup(bench.theirs, std::move(*prepared)));
  CHECK_FALSE(found.result);
  REQUIRE(found.error);
  CHECK(found.error->code() == Code::internal);
  CHECK(bench.client.requests.empty());
}

}  // namespace aios::connectors

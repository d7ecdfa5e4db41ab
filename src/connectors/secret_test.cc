// SPDX-License-Identifier: Apache-2.0
// A system that does not take its secret.
#include "connectors/test/bench.h"

#include <string>

namespace aios::connectors {
namespace {

using test::Bench;

/// The bench's manifest with one thing in another way.
std::string changed(std::string_view from, std::string_view to) {
  std::string manifest(test::desk_manifest);
  manifest.replace(manifest.find(from), from.size(), to);
  return manifest;
}

}  // namespace

TEST_CASE("connectors: a secret that is not taken uses up no try, and opens no breaker") {
  Bench bench;
  for (int i = 0; i < 5; ++i) {
    bench.client.answer(401, "{}");
    const auto performed = bench.perform(bench.call("tell", {}));
    CHECK(performed.outcome == Outcome::failed);
    CHECK(performed.spared);
    REQUIRE(performed.error);
    CHECK(performed.error->page() == 911);
    CHECK(performed.error->code() == Code::unauthenticated);
    CHECK(performed.error->retry_after() == Duration(std::chrono::seconds(5)));
    CHECK(performed.error->message().find("'desk-token'") != std::string::npos);
    CHECK(performed.error->message().find("s3cret") == std::string::npos);
  }
  CHECK(bench.connectors.list(bench.ctx.tenant)[0].breaker == "closed");
  bench.client.answer(401, "{}");
  CHECK(bench.lookup(bench.call("open", {})).error->page() == 911);
}

TEST_CASE(
    "connectors: a 401 is an error like others where no secret is sent, or the manifest says") {
  for (const auto& manifest : {changed("auth: {bearer: {secret: desk-token}}\n", ""),
                               changed("{status: [409], code: already_exists}",
                                       "{status: [401], code: permission_denied}")}) {
    Bench bench(manifest);
    bench.client.answer(401, "{}");
    const auto performed = bench.perform(bench.call("tell", {}));
    CHECK(performed.outcome == Outcome::failed);
    CHECK_FALSE(performed.spared);
    REQUIRE(performed.error);
    CHECK(performed.error->page() == 904);
    CHECK(performed.error->retry() == Retry::never);
  }
}

}  // namespace aios::connectors

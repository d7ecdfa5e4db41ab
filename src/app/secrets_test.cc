// SPDX-License-Identifier: Apache-2.0
#include "app/secrets.h"

#include "connectors/test/bench.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace aios::app {
namespace {

TEST_CASE("secrets: a missing one is told of for each tenant that needs it") {
  std::string manifest(connectors::test::desk_manifest);
  manifest.replace(manifest.find("desk-token"), 10, "other-name");
  connectors::test::Bench bench(manifest);
  const auto second = TenantId::parse("second");
  const auto third = TenantId::parse("third");
  REQUIRE(second.ok());
  REQUIRE(third.ok());
  const JsonObject params{{"url", "http://desk.example:8080"}};
  REQUIRE(bench.connectors.load(*second, {{"desk.yaml", manifest}}, params).empty());
  std::vector<std::string> lines;
  const observe::Log log([&](std::string_view line) { lines.emplace_back(line); });
  warn_missing_secrets(bench.connectors, {bench.ctx.tenant, *second, *third}, log);
  REQUIRE(lines.size() == 2);
  for (const auto& line : lines) {
    CHECK(line.find(R"("level":"warn")") != std::string::npos);
    CHECK(line.find("connector 'desk'") != std::string::npos);
  }
  CHECK(lines[0].find(R"("tenant":"second")") == std::string::npos);
  CHECK(lines[1].find(R"("tenant":"second")") != std::string::npos);
}

}  // namespace
}  // namespace aios::app

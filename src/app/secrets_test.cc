// SPDX-License-Identifier: Apache-2.0
#include "app/secrets.h"

#include "connectors/test/bench.h"
#include "core/test/folder.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
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
  for (const TenantId& tenant : {bench.ctx.tenant, *second, *third}) {
    warn_missing_secrets(bench.connectors.missing_secrets(tenant), tenant, log);
  }
  REQUIRE(lines.size() == 2);
  for (const auto& line : lines) {
    CHECK(line.find(R"("level":"warn")") != std::string::npos);
    CHECK(line.find("connector 'desk'") != std::string::npos);
  }
  CHECK(lines[0].find(R"("tenant":"second")") == std::string::npos);
  CHECK(lines[1].find(R"("tenant":"second")") != std::string::npos);
}

TEST_CASE("secrets: what is no regular file with words in it is no secret, and nobody waits") {
  const aios::test::Folder folder;
  const std::string secrets = folder.at("secrets/");
  REQUIRE(std::filesystem::create_directory(secrets));
  const auto source = secret_source(folder.at(""));
  const auto given = [&](std::string_view name) { return source(default_tenant(), name); };
  REQUIRE(::mkfifo((secrets + "fifo").c_str(), 0600) == 0);  // nobody ever writes to it
  REQUIRE(std::filesystem::create_directory(secrets + "folder"));
  std::ofstream(secrets + "empty") << " \n";
  std::ofstream(secrets + "huge") << std::string(100'000, 'x');
  std::ofstream(secrets + "good") << "  canary words\n";
  for (const auto& [name, why] :
       std::vector<std::pair<std::string, std::string>>{{"fifo", "is no regular file"},
                                                        {"folder", "is no regular file"},
                                                        {"empty", "is empty"},
                                                        {"huge", "has more than 64 KiB"},
                                                        {"absent", "is not there"}}) {
    CAPTURE(name);
    const auto missing = given(name);
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().code() == Code::not_found);
    CHECK(missing.error().page() == 1402);
    CHECK(missing.error().message().ends_with(why));
  }
  CHECK(given("good").value() == "canary words");
  constexpr std::size_t most = std::size_t{64} << 10;
  for (const std::size_t size : {std::size_t{1}, std::size_t{1023}, std::size_t{1024},
                                 std::size_t{1025}, most - 1, most, most + 1}) {
    CAPTURE(size);
    const std::string words = std::string(size - 1, 'x') + 'y';
    std::ofstream(secrets + "long", std::ios::trunc) << words;
    CHECK(given("long").ok() == (size <= most));
    CHECK((size > most || given("long").value() == words));
  }
  CHECK(given("Not A Name").error().code() == Code::invalid_argument);
}

TEST_CASE("secrets: a tenant has none of another's, and none of the environment but the first") {
  const aios::test::Folder folder;
  REQUIRE(std::filesystem::create_directories(folder.at("secrets/acme")));
  std::ofstream(folder.at("secrets/token")) << "of the first";
  std::ofstream(folder.at("secrets/acme/own")) << "of acme";
  REQUIRE(::setenv("AIOS_SECRET_SPOKEN", "of the environment", 1) == 0);
  const auto source = secret_source(folder.at(""));
  const TenantId acme = TenantId::parse("acme").value();
  CHECK(source(default_tenant(), "token").value() == "of the first");
  CHECK(source(default_tenant(), "spoken").value() == "of the environment");
  CHECK(source(acme, "own").value() == "of acme");
  for (const std::string_view name : {"token", "spoken"}) {
    CHECK(source(acme, name).error().page() == 1402);
  }
  CHECK(source(default_tenant(), "own").error().page() == 1402);
  CHECK_FALSE(source(default_tenant(), "acme").ok());
  ::unsetenv("AIOS_SECRET_SPOKEN");
}

}  // namespace
}  // namespace aios::app

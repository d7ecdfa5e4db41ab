// SPDX-License-Identifier: Apache-2.0
#include "app/reach.h"

#include "api/test/house.h"
#include "core/test/folder.h"
#include "net/server.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

namespace aios::app {
namespace {

TEST_CASE("reach: who does not answer, and who is no aios server, is told apart") {
  CHECK(check_probe("http://h:1", net::text_response(200, "ok\n")).ok());
  const auto late = check_probe("http://h:1", Error(Code::deadline_exceeded, "too late"));
  CHECK(late.error().page() == 1419);
  CHECK(late.error().message().find("does not answer within 5 s") != std::string::npos);
  for (const net::Response& other :
       {net::text_response(401, "go away"), net::text_response(200, "<html>")}) {
    const auto foreign = check_probe("http://h:1", other);
    CHECK(foreign.error().page() == 1419);
    CHECK(foreign.error().message().find("but is no aios server") != std::string::npos);
  }
  const auto refused =
      check_probe("http://h:1", Error(Code::unavailable, "connection refused").page(312));
  CHECK(refused.error().page() == 312);
  CHECK(refused.error().text() ==
        "no server answers at http://h:1: connection refused; start one with 'aios serve', or look "
        "at --server, AIOS_SERVER and AIOS_DATA  [AIOS-0312]");
}

TEST_CASE("reach: a server without room for another connection is up, and says so itself") {
  const auto full = check_probe(
      "http://h:1", net::problem(Error(Code::unavailable, "all places are taken").page(308)));
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().page() == 308);
  CHECK(full.error().text().find("all places are taken") != std::string::npos);
  CHECK(is_up(full.error()));
  CHECK(is_up(check_probe("http://h:1", Error(Code::deadline_exceeded, "late")).error()));
  CHECK_FALSE(is_up(check_probe("http://h:1", net::text_response(503, "a proxy")).error()));
  CHECK_FALSE(is_up(Error(Code::unavailable, "refused", Retry::same_call).page(312)));
}

TEST_CASE("reach: a server that speaks TLS alone is known by what it says to a request without") {
  const auto plain = check_probe(
      "http://h:1", net::problem(Error(Code::invalid_argument, "wanted https://").page(343)));
  REQUIRE_FALSE(plain.ok());
  CHECK(plain.error().page() == 343);
  CHECK(plain.error().text().find("write https://") != std::string::npos);
  CHECK(plain.error().text().find("no aios server") == std::string::npos);
}

TEST_CASE("reach: the first key is for the server of its data directory alone") {
  const aios::test::Folder folder;
  CHECK_FALSE(is_server_of("http://127.0.0.1:8787", folder.at(".")));
  std::ofstream(folder.at("server.address")) << "http://127.0.0.1:8787\n";
  CHECK(is_server_of("http://127.0.0.1:8787", folder.at(".")));
  CHECK(is_server_of("http://localhost:8787", folder.at(".")));
  CHECK_FALSE(is_server_of("http://127.0.0.1:8788", folder.at(".")));
  CHECK_FALSE(is_server_of("http://example.org:8787", folder.at(".")));
}

/// "/a/{name}/b" as a path that the route takes.
std::string path_of(std::string pattern) {
  for (std::size_t at = pattern.find('{'); at != std::string::npos; at = pattern.find('{', at)) {
    pattern.replace(at, pattern.find('}', at) + 1 - at, "x");
  }
  return pattern;
}

TEST_CASE("reach: of all that the API offers, training and backups are waited for long") {
  const api::test::House house;
  const Duration usual = timeout_of({"GET", "/api/v1/runs", nullptr});
  CHECK(usual > net::ServerOptions().request_timeout);
  std::vector<std::string> patient;
  for (const net::Route& route : house.router.routes()) {
    const Duration span = timeout_of({route.method, path_of(route.pattern), nullptr});
    CHECK(span >= usual);
    if (span > usual) {
      patient.push_back(route.method + " " + route.pattern);
    }
  }
  CHECK(patient == std::vector<std::string>{"POST /api/v1/models/{name}/train",
                                            "POST /api/v1/models/{name}/corrections/screen",
                                            "POST /api/v1/operate/backup"});
  CHECK(timeout_of({"POST", std::string(backup_path), nullptr}) >= std::chrono::hours(1));
}

}  // namespace
}  // namespace aios::app

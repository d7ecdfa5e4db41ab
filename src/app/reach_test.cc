// SPDX-License-Identifier: Apache-2.0
#include "app/reach.h"
#include "core/test/folder.h"

#include <doctest/doctest.h>

#include <fstream>

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
  CHECK(refused.error().text().find("calling http://h:1") != std::string::npos);
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

TEST_CASE("reach: only what takes its time is waited for long") {
  CHECK(timeout_of({"POST", "/api/v1/models/intent/train", nullptr}) == std::chrono::minutes(10));
  CHECK(timeout_of({"POST", "/api/v1/backups", nullptr}) == std::chrono::minutes(10));
  CHECK(timeout_of({"GET", "/api/v1/runs", nullptr}) < std::chrono::minutes(2));
}

}  // namespace
}  // namespace aios::app

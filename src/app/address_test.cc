// SPDX-License-Identifier: Apache-2.0
#include "app/address.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace aios::app {
namespace {

TEST_CASE("address: a server is scheme, host and port, and a slash at its end does no harm") {
  for (const auto& [given, taken] :
       {std::pair("http://localhost:8080", "http://localhost:8080"),
        std::pair("http://localhost:8080/", "http://localhost:8080"),
        std::pair("http://localhost:8080//", "http://localhost:8080"),
        std::pair("https://aios.example.org", "https://aios.example.org"),
        std::pair("HTTP://Host:1", "HTTP://Host:1"),
        std::pair("http://[::1]:80", "http://[::1]:80"), std::pair("http://[::1]", "http://[::1]"),
        std::pair("http://127.0.0.1:65535", "http://127.0.0.1:65535")}) {
    CAPTURE(given);
    auto address = server_address(given);
    REQUIRE(address.ok());
    CHECK(*address == taken);
  }
}

TEST_CASE("address: the part of a server's address that is wrong is named") {
  for (const auto& [given, said] :
       {std::pair("localhost:8080",
                  "does not begin with http:// or https://; did you mean 'http://localhost:8080'?"),
        std::pair("ftp://x", "'ftp://x' does not begin with http:// or https://"),
        std::pair("", "'' does not begin with"), std::pair("http://", "has no host"),
        std::pair("http://:80", "has no host"), std::pair("http:///x", "goes on after"),
        std::pair("http://h:99999", "has the port '99999', wanted a number from 1 to 65535"),
        std::pair("http://h:0", "has the port '0'"), std::pair("http://h:x", "has the port 'x'"),
        std::pair("http://h:", "has the port ''"), std::pair("http://h:80x", "has the port '80x'"),
        std::pair("http://h:1/api", "goes on after host and port with '/api'"),
        std::pair("http://h?x", "goes on after host and port with '?x'"),
        std::pair("http://a b:1", "has the host 'a b'"),
        std::pair("http://[::1:80", "has the port")}) {
    CAPTURE(given);
    auto address = server_address(given);
    REQUIRE(!address.ok());
    CHECK(address.error().page() == 1415);
    CAPTURE(address.error().message());
    CHECK(address.error().message().find(said) != std::string::npos);
  }
}

TEST_CASE("address: a password before the host is refused and not repeated") {
  auto address = server_address("http://me:hush@localhost:8080");
  REQUIRE(!address.ok());
  CHECK(address.error().message().find("has a user before its host") != std::string::npos);
  CHECK(address.error().message().find("hush") == std::string::npos);
}

TEST_CASE("address: where to listen is host and port") {
  auto local = listen_address("127.0.0.1:0");
  REQUIRE(local.ok());
  CHECK(local->host == "127.0.0.1");
  CHECK(local->port == 0);
  auto bracketed = listen_address("[::1]:8787");
  REQUIRE(bracketed.ok());
  CHECK(bracketed->host == "::1");
  CHECK(bracketed->port == 8787);
  for (const auto& [given, said] :
       {std::pair("8787", "has no port"), std::pair("", "has no port"),
        std::pair("[::1]", "has no port"), std::pair(":8787", "has no host"),
        std::pair("localhost:", "has the port ''"), std::pair("localhost:x", "has the port 'x'"),
        std::pair("localhost:65536", "has the port '65536', which is no number from 0 to 65535"),
        std::pair("h:-1", "has the port '-1'"),
        std::pair("::1", "an IPv6 address stands in brackets"),
        std::pair("::1:0", "an IPv6 address stands in brackets"), std::pair("[]:1", "has no host"),
        std::pair("[::1]x:1", "an IPv6 address stands in brackets"),
        std::pair("http://localhost:80", "has a scheme or a path"),
        std::pair("localhost:80/x", "has a scheme or a path")}) {
    CAPTURE(given);
    auto address = listen_address(given);
    REQUIRE(!address.ok());
    CHECK(address.error().page() == 1406);
    CAPTURE(address.error().message());
    CHECK(address.error().message().find(said) != std::string::npos);
  }
}

}  // namespace
}  // namespace aios::app

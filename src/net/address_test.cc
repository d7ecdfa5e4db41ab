// SPDX-License-Identifier: Apache-2.0
// Which addresses a call that is held to the public network may not reach.
#include "net/client.h"
#include "net/server.h"
#include "runtime/shards.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace aios::net {
namespace {

Task<Response> hello() { co_return text_response(200, "hi"); }

}  // namespace

TEST_CASE("address: loopback, private, link-local and their disguises are none of the public net") {
  for (const char* host : {"localhost",        "a.LOCALHOST",     "127.0.0.1",   "127.9.9.9",
                           "0.0.0.0",          "10.0.0.1",        "172.16.0.1",  "172.31.255.255",
                           "192.168.1.1",      "169.254.169.254", "100.64.0.1",  "198.18.0.1",
                           "224.0.0.1",        "255.255.255.255", "::",          "::1",
                           "fe80::1",          "fc00::1",         "fd12::1",     "ff02::1",
                           "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a00:1",
                           "64:ff9b:1::1",     "2002:7f00:1::",   "2001:db8::1"}) {
    CAPTURE(host);
    CHECK(is_private_host(host));
  }
  for (const char* host : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "169.253.0.1", "192.1.2.3",
                           "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808",
                           "2002:808:808::", "example.com", "localhost.example.com"}) {
    CAPTURE(host);
    CHECK_FALSE(is_private_host(host));
  }
}

TEST_CASE("address: a call held to the public network reaches no loopback, by number or by name") {
  runtime::Shards shards(1);
  Router router;
  int served = 0;
  Route route;
  route.method = "GET";
  route.pattern = "/";
  route.handler = [&served](const Context&, const Request&) {
    ++served;
    return hello();
  };
  router.add(std::move(route));
  auto server = start_server(shards, router, {});
  REQUIRE(server.ok());
  const auto client = make_client(shards, {});
  const auto ask = [&](const std::string& host, Reach reach) {
    ClientRequest request;
    request.url = "http://" + host + ":" + std::to_string((*server)->port()) + "/";
    request.reach = reach;
    Context ctx;
    ctx.deadline = shards.at(0).clock().instant() + std::chrono::seconds(5);
    return shards.run(0, client->send(ctx, std::move(request)));
  };
  CHECK(ask("127.0.0.1", Reach::anywhere).ok());  // its connection is kept, and not for the next
  for (const char* host : {"127.0.0.1", "localhost"}) {
    CAPTURE(host);
    const auto answer = ask(host, Reach::public_only);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().page() == 1064);
    CHECK(answer.error().retry() == Retry::never);
    CHECK(sent_of(answer.error()) == Sent::nothing);
  }
  CHECK(served == 1);
}

}  // namespace aios::net

// SPDX-License-Identifier: Apache-2.0
#include "net/server.h"
#include "net/test/peer.h"
#include "runtime/one_shot.h"
#include "runtime/shards.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>

namespace aios::net {
namespace {

using detail::Peer;

Task<Response> echo(Request request) { co_return text_response(200, std::move(request.body)); }

/// Ends with its Context.
Task<Response> wait_out(Context ctx) {
  runtime::OneShot<int> never;
  auto waited = co_await never.wait(ctx);
  co_return problem(waited.error());
}

struct Fixture {
  explicit Fixture(const ServerOptions& options) {
    Route take;
    take.method = "POST";
    take.pattern = "/take";
    take.body_bytes_max = std::size_t{1} << 20;
    take.admission = [](const Request& head) -> Result<void> {
      if (head.headers.get("authorization") == "Bearer good") {
        return {};
      }
      return Error(Code::unauthenticated, "no key").page(510);
    };
    take.handler = [](const Context&, Request request) { return echo(std::move(request)); };
    router.add(std::move(take));
    Route wait;
    wait.method = "GET";
    wait.pattern = "/wait";
    wait.handler = [](Context ctx, const Request&) { return wait_out(std::move(ctx)); };
    router.add(std::move(wait));
    Route hold;
    hold.method = "POST";
    hold.pattern = "/hold";
    hold.handler = [this](Context ctx, const Request&) {
      held.set_value();
      return wait_out(std::move(ctx));
    };
    router.add(std::move(hold));
    Route quick;
    quick.method = "GET";
    quick.pattern = "/quick";
    quick.handler = [](const Context&, Request request) { return echo(std::move(request)); };
    router.add(std::move(quick));
    auto started = start_server(shards, router, options);
    REQUIRE(started.ok());
    server = std::move(*started);
  }
  Peer connect(std::uint8_t from = 1) const { return Peer(server->port(), from); }

  runtime::Shards shards{1};
  Router router;
  std::unique_ptr<Server> server;
  std::promise<void> held;  ///< a handler of /hold has its body
};

std::string head_of(std::string_view key, std::size_t bytes) {
  return fmt::format(
      "POST /take HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
      key, bytes);
}

constexpr std::string_view quick = "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n";

void asks(Peer& peer) {
  peer.send(quick);
  CHECK(peer.read_answer().status == 200);
}

TEST_CASE("server: a body without a good key is not read: the head alone is answered 401") {
  Fixture fixture({});
  Peer peer = fixture.connect();
  peer.send(head_of("bad", 500'000));  // and no byte of the body
  CHECK(peer.read_answer().status == 401);
  CHECK(peer.at_end());
  Peer chunked = fixture.connect();
  chunked.send("POST /take HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(chunked.read_answer().status == 401);
  Peer waiting = fixture.connect();
  waiting.send(
      "POST /take HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
  CHECK(waiting.read_answer().status == 401);
  Peer nowhere = fixture.connect();
  nowhere.send("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n");
  CHECK(nowhere.read_answer().status == 404);
  Peer good = fixture.connect();
  good.send(head_of("good", 5) + "hello");
  CHECK(good.read_answer().body == "hello");
}

TEST_CASE("server: bodies of all connections together have a bound, and give their room back") {
  ServerOptions options;
  options.bodies_bytes_max = 160'000;  // 120'000 for the address
  options.request_timeout = std::chrono::milliseconds(500);
  Fixture fixture(options);
  Peer holding = fixture.connect();
  holding.send("POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n" +
               std::string(60'000, 'x'));
  fixture.held.get_future().wait();
  Peer elsewhere = fixture.connect(2);
  elsewhere.send(head_of("good", 70'000) + std::string(70'000, 'y'));
  CHECK(elsewhere.read_answer().status == 200);
  Peer second = fixture.connect();
  second.send(head_of("good", 70'000) + std::string(70'000, 'y'));
  const Response refused = second.read_answer();
  CHECK(refused.status == 503);
  CHECK(refused.headers.get("retry-after") == "1");
  CHECK(refused.body.find("AIOS-0317") != std::string::npos);
  CHECK(holding.read_answer().status == 504);  // the handler has ended
  Peer third = fixture.connect();
  third.send(head_of("good", 70'000) + std::string(70'000, 'y'));
  CHECK(third.read_answer().status == 200);
}

TEST_CASE("server: at the connection bound the one that is idle longest makes room") {
  ServerOptions options;
  options.connections_max = 2;
  Fixture fixture(options);
  Peer oldest = fixture.connect();
  asks(oldest);
  Peer newer = fixture.connect();
  asks(newer);
  Peer third = fixture.connect();
  asks(third);
  CHECK(oldest.at_end());
  asks(newer);
}

TEST_CASE("server: at the connection bound who never asked goes before who did") {
  ServerOptions options;
  options.connections_max = 2;
  Fixture fixture(options);
  Peer good = fixture.connect();
  asks(good);
  Peer slow = fixture.connect();
  slow.send("GET /quick HTT");  // never to be ended
  Peer third = fixture.connect();
  asks(third);
  CHECK(slow.at_end());
  asks(good);
}

TEST_CASE("server: at the connection bound who was answered once and now sends slowly goes first") {
  ServerOptions options;
  options.connections_max = 2;
  Fixture fixture(options);
  Peer slow = fixture.connect();
  asks(slow);
  Peer good = fixture.connect();
  asks(good);
  slow.send("GET /quick HTT");  // never to be ended
  asks(good);
  asks(good);
  Peer third = fixture.connect();
  asks(third);
  CHECK(slow.at_end());
  asks(good);
}

TEST_CASE("server: the connections of one address make room among themselves") {
  ServerOptions options;
  options.connections_max = 8;
  options.connections_per_peer_max = 2;
  Fixture fixture(options);
  Peer other = fixture.connect(2);
  asks(other);  // idle longest of all
  Peer first = fixture.connect();
  asks(first);
  Peer second = fixture.connect();
  asks(second);
  Peer third = fixture.connect();
  asks(third);
  CHECK(first.at_end());
  asks(other);
  const std::string wait = std::string(quick) + "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";
  for (Peer* busy : {&second, &third}) {
    busy->send(wait);
    CHECK(busy->read_answer().status == 200);
  }
  Peer fourth = fixture.connect();
  fourth.send(quick);
  CHECK(fourth.read_answer().status == 503);
  asks(other);
  Peer another = fixture.connect(2);
  asks(another);
}

TEST_CASE("server: at the connection bound, all of them busy, the answer is 503") {
  ServerOptions options;
  options.connections_max = 1;
  Fixture fixture(options);
  Peer busy = fixture.connect();
  busy.send(std::string(quick) + "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(busy.read_answer().status == 200);
  Peer second = fixture.connect();
  second.send(quick);
  const Response refused = second.read_answer();
  CHECK(refused.status == 503);
  CHECK(refused.headers.get("retry-after") == "1");
  CHECK(second.at_end());
}

}  // namespace
}  // namespace aios::net

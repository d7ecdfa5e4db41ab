// SPDX-License-Identifier: Apache-2.0
#include "net/client.h"

#include "net/detail/url.h"
#include "net/server.h"
#include "net/test/peer.h"
#include "runtime/shards.h"
#include "runtime/task_group.h"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace aios::net {
namespace {

using detail::Peer;
using std::chrono::milliseconds;

Task<Response> echo(Request request) {
  auto response = text_response(201, request.method + " " + request.target + " " + request.body);
  response.headers.add("x-peer", request.peer);
  response.headers.add("x-sent", request.headers.get("x-test"));
  response.headers.add("x-trace", request.headers.get("traceparent"));
  co_return response;
}

void add(Router& router, const std::string& method) {
  Route route;
  route.method = method;
  route.pattern = "/{rest*}";
  route.body_bytes_max = std::size_t{8} << 20;
  route.handler = [](const Context&, Request request) { return echo(std::move(request)); };
  router.add(std::move(route));
}

Context within(runtime::Shards& shards, Duration span) {
  Context ctx;
  ctx.deadline = shards.at(0).clock().instant() + span;
  return ctx;
}

/// A real server and a client.
struct Fixture {
  Fixture() {
    add(router, "GET");
    add(router, "POST");
    server = std::move(*start_server(shards, router, {}));
    base = "http://127.0.0.1:" + std::to_string(server->port());
  }
  Result<Response> send(ClientRequest request) {
    return shards.run(0, client->send(within(shards, std::chrono::seconds(5)), std::move(request)));
  }
  runtime::Shards shards{1};
  Router router;
  std::unique_ptr<Server> server;
  std::string base;
  std::unique_ptr<Client> client = make_client(shards, {});
};

TEST_CASE("client: a request goes there and back, and the connection is kept") {
  Fixture fixture;
  ClientRequest request{
      .method = "POST", .url = fixture.base + "/a?b=c", .headers = {}, .body = "hi"};
  request.headers.add("X-Test", "1");
  auto first = fixture.send(request);
  REQUIRE(first.ok());
  CHECK(first->status == 201);
  CHECK(first->body == "POST /a?b=c hi");
  CHECK(first->headers.get("x-sent") == "1");
  auto second = fixture.send({.method = "GET", .url = fixture.base, .headers = {}, .body = {}});
  REQUIRE(second.ok());
  CHECK(second->body == "GET / ");
  CHECK(second->headers.get("x-peer") == first->headers.get("x-peer"));
  CHECK(fixture.server->connections() == 1);
}

TEST_CASE("client: a large body goes both ways") {
  Fixture fixture;
  const std::string body(std::size_t{3} << 20, 'x');
  auto answer =
      fixture.send({.method = "POST", .url = fixture.base + "/", .headers = {}, .body = body});
  REQUIRE(answer.ok());
  CHECK(answer->body.size() == body.size() + 7);
}

TEST_CASE("client: a kept connection that the server closed is not used again") {
  Fixture fixture;
  REQUIRE(fixture.send({.method = "GET", .url = fixture.base, .headers = {}, .body = {}}).ok());
  const std::uint16_t port = fixture.server->port();
  fixture.server->stop(Duration(0));
  ServerOptions options;
  options.port = port;
  auto again = start_server(fixture.shards, fixture.router, options);
  REQUIRE(again.ok());
  CHECK(fixture.send({.method = "GET", .url = fixture.base, .headers = {}, .body = {}}).ok());
}

TEST_CASE("client: nothing was sent when the connection is refused") {
  Fixture fixture;
  fixture.server->stop(Duration(0));
  auto answer = fixture.send({.method = "GET", .url = fixture.base, .headers = {}, .body = {}});
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code() == Code::unavailable);
  CHECK(answer.error().retry() == Retry::same_call);
  CHECK(sent_of(answer.error()) == Sent::nothing);
  CHECK(answer.error().page() == 312);
}

TEST_CASE("client: a wrong URL, method or caller is refused before anything is sent") {
  Fixture fixture;
  for (const char* url : {"ftp://a", "a", "http://", "http://u:p@a/", "http://a b/", "http://a/ b",
                          "http://a:0/", "http://a:x/", "http://[::1/"}) {
    CAPTURE(url);
    auto answer = fixture.send({.method = "GET", .url = url, .headers = {}, .body = {}});
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code() == Code::invalid_argument);
    CHECK(answer.error().message().find("u:p") == std::string::npos);
  }
  CHECK_FALSE(fixture.send({.method = "G T", .url = fixture.base, .headers = {}, .body = {}}).ok());
}

/// A server of one connection that reads a request head and then does as it is told.
class Rogue {
 public:
  Rogue() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(fd_, 4) == 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Rogue() { ::close(fd_); }
  Peer accept() const {
    Peer peer(Peer::Accepted{::accept(fd_, nullptr, nullptr)});
    peer.read_until("\r\n\r\n");
    return peer;
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

Result<Response> ask_rogue(const std::string& answer, std::size_t bytes_max = 1000) {
  Rogue rogue;
  std::thread serving([&rogue, &answer] {
    const Peer peer = rogue.accept();
    peer.send(answer);
  });
  runtime::Shards shards(1);
  auto client = make_client(shards, {});
  ClientRequest request{.method = "GET",
                        .url = rogue.url(),
                        .headers = {},
                        .body = {},
                        .response_bytes_max = bytes_max};
  auto result =
      shards.run(0, client->send(within(shards, std::chrono::seconds(5)), std::move(request)));
  serving.join();
  return result;
}

TEST_CASE("client: an answer that is lost, cut off, not HTTP or too large may have been received") {
  struct Case {
    const char* answer;
    Code code;
  };
  for (const Case& item :
       {Case{"", Code::unavailable}, Case{"HTTP/1.1 200 OK\r\n", Code::unavailable},
        Case{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", Code::data_loss},
        Case{"SSH-2.0-x\r\n", Code::data_loss},
        Case{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", Code::data_loss},
        Case{"HTTP/1.1 101 No\r\n\r\n", Code::data_loss},
        Case{"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", Code::resource_exhausted}}) {
    CAPTURE(item.answer);
    auto answer = ask_rogue(item.answer);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code() == item.code);
    CHECK(sent_of(answer.error()) == Sent::maybe);
  }
}

TEST_CASE("client: interim answers are skipped and a body may end with the connection") {
  auto answer = ask_rogue(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\na: b\r\n\r\n"
      "HTTP/1.1 200 OK\r\n\r\nall of it");
  REQUIRE(answer.ok());
  CHECK(answer->body == "all of it");
}

TEST_CASE("client: deadline and cancel end a call that waits for its answer") {
  Rogue rogue;
  runtime::Shards shards(1);
  auto client = make_client(shards, {});
  const ClientRequest request{.method = "GET", .url = rogue.url(), .headers = {}, .body = {}};
  auto late = shards.run(0, client->send(within(shards, milliseconds(20)), request));
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code() == Code::deadline_exceeded);
  CHECK(sent_of(late.error()) == Sent::maybe);

  Context ctx;
  ctx.cancel = std::make_shared<CancelState>();
  std::thread cancelling([&rogue, &ctx] {
    const Peer first = rogue.accept();  // that of the call above
    const Peer second = rogue.accept();
    ctx.cancel->cancel();
  });
  auto cancelled = shards.run(0, client->send(ctx, request));
  cancelling.join();
  REQUIRE_FALSE(cancelled.ok());
  CHECK(cancelled.error().code() == Code::cancelled);
  CHECK(sent_of(cancelled.error()) == Sent::maybe);
}

Task<void> send_one(Client* client, Context ctx, ClientRequest request, int* good) {
  auto sending = client->send(std::move(ctx), std::move(request));
  auto answer = co_await std::move(sending);
  *good += answer.ok() ? 1 : 0;
}

Task<int> send_many(Client* client, Context ctx, ClientRequest request, int calls) {
  int good = 0;
  runtime::TaskGroup group(*runtime::Executor::current());
  for (int i = 0; i < calls; ++i) {
    group.spawn(send_one(client, ctx, request, &good));
  }
  auto joined = group.join();
  co_await std::move(joined);
  co_return good;
}

TEST_CASE("client: more calls than connections wait their turn, and no more are opened") {
  Fixture fixture;
  auto client = make_client(fixture.shards, {.connections_per_origin_max = 3});
  const ClientRequest request{.method = "GET", .url = fixture.base, .headers = {}, .body = {}};
  const Context ctx = within(fixture.shards, std::chrono::seconds(5));
  CHECK(fixture.shards.run(0, send_many(client.get(), ctx, request, 50)) == 50);
  CHECK(fixture.server->connections() <= 3);
}

TEST_CASE("url: the parts, and what Host says") {
  auto url = detail::parse_url("HTTPS://Example.org:8443/a?b#c");
  REQUIRE(url.ok());
  CHECK(url->tls);
  CHECK(url->host == "example.org");
  CHECK(url->port == 8443);
  CHECK(url->authority == "example.org:8443");
  CHECK(url->target == "/a?b");
  auto plain = detail::parse_url("http://[::1]:80?x");
  REQUIRE(plain.ok());
  CHECK(plain->host == "::1");
  CHECK(plain->authority == "[::1]");
  CHECK(plain->target == "/?x");
}

}  // namespace
}  // namespace aios::net

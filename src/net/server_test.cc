// SPDX-License-Identifier: Apache-2.0
#include "net/server.h"

#include "net/test/peer.h"
#include "runtime/one_shot.h"
#include "runtime/shards.h"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

namespace aios::net {
namespace {

using detail::Peer;
using std::chrono::milliseconds;

Task<Response> echo(Request request) {
  std::string text = request.method + " " + request.target + " " + request.body;
  co_return text_response(200, std::move(text));
}

Task<Response> trace_of(Context ctx) { co_return text_response(200, ctx.trace.traceparent()); }

/// Waits for its deadline or cancel, whichever comes first, and says which.
Task<Response> wait_out(Context ctx) {
  runtime::OneShot<int> never;
  auto waited = co_await never.wait(ctx);
  co_return problem(waited.error());
}

/// More than the kernel keeps for a peer that does not read.
Task<Response> large() { co_return text_response(200, std::string(std::size_t{32} << 20, 'x')); }

Task<void> pause() {
  const Context ctx;
  auto paused = co_await runtime::sleep_for(ctx, milliseconds(2));
  (void)paused;
}

void add(Router& router, const std::string& method, const std::string& pattern, Handler handler) {
  Route route;
  route.method = method;
  route.pattern = pattern;
  route.body_bytes_max = 10'000;
  route.handler = std::move(handler);
  router.add(std::move(route));
}

struct Fixture {
  explicit Fixture(const ServerOptions& options = {}) {
    add(router, "GET", "/healthz", [](const Context&, Request) { return echo({}); });
    add(router, "GET", "/{rest*}",
        [](const Context&, Request request) { return echo(std::move(request)); });
    add(router, "POST", "/{rest*}",
        [](const Context&, Request request) { return echo(std::move(request)); });
    add(router, "GET", "/trace",
        [](Context ctx, const Request&) { return trace_of(std::move(ctx)); });
    add(router, "GET", "/wait",
        [](Context ctx, const Request&) { return wait_out(std::move(ctx)); });
    auto started = start_server(shards, router, options);
    REQUIRE(started.ok());
    server = std::move(*started);
  }
  Peer connect() const { return Peer(server->port()); }

  runtime::Shards shards{2};
  Router router;
  std::unique_ptr<Server> server;
};

TEST_CASE("server: requests on one connection are answered in order, also when pipelined") {
  Fixture fixture;
  Peer peer = fixture.connect();
  peer.send(
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\n"
      "Content-Length: 2\r\n\r\nhi");
  CHECK(peer.read_answer().body == "GET /a ");
  const Response second = peer.read_answer();
  CHECK(second.status == 200);
  CHECK(second.body == "POST /b hi");
  CHECK(second.headers.has("date"));
  peer.send("GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(peer.read_answer().headers.get("connection") == "close");
  CHECK(peer.at_end());
}

TEST_CASE("server: HTTP/1.0 closes unless keep-alive is asked for") {
  Fixture fixture;
  Peer closing = fixture.connect();
  closing.send("GET /a HTTP/1.0\r\n\r\n");
  CHECK(closing.read_answer().status == 200);
  CHECK(closing.at_end());
  Peer keeping = fixture.connect();
  keeping.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(keeping.read_answer().headers.get("connection") == "keep-alive");
  keeping.send("GET /b HTTP/1.0\r\n\r\n");
  CHECK(keeping.read_answer().body == "GET /b ");
}

TEST_CASE("server: HEAD has the length but no body") {
  Fixture fixture;
  Peer peer = fixture.connect();
  peer.send("HEAD /abc HTTP/1.1\r\nHost: x\r\n\r\nGET /d HTTP/1.1\r\nHost: x\r\n\r\n");
  const Response head = peer.read_answer(Peer::Body::none);
  CHECK(head.headers.get("content-length") == "10");
  CHECK(peer.read_answer().body == "GET /d ");
}

TEST_CASE("server: a chunked body is joined, and 100-continue is sent before it") {
  Fixture fixture;
  Peer peer = fixture.connect();
  peer.send(
      "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
      "Expect: 100-continue\r\n\r\n");
  CHECK(peer.read_answer().status == 100);
  peer.send("3\r\nabc\r\n");
  peer.send("2\r\nde\r\n0\r\n\r\n");
  CHECK(peer.read_answer().body == "POST /a abcde");
}

TEST_CASE("server: a body beyond the route's bound is 413 and the connection ends") {
  Fixture fixture;
  Peer peer = fixture.connect();
  peer.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10001\r\n\r\n");
  const Response answer = peer.read_answer();
  CHECK(answer.status == 413);
  CHECK(answer.headers.get("content-type") == "application/problem+json");
  CHECK(peer.at_end());
}

TEST_CASE("server: a bad target is 400 and the connection ends") {
  Fixture fixture;
  Peer peer = fixture.connect();
  peer.send("GET /a/../b HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(peer.read_answer().status == 400);
  CHECK(peer.at_end());
}

TEST_CASE("server: a handler's header cannot inject another one") {
  Router router;
  add(router, "GET", "/", [](const Context&, const Request&) -> Task<Response> {
    Response response;
    response.headers.add("x-a", "1\r\nx-b: 2");
    response.headers.add("bad name", "1");
    co_return response;
  });
  runtime::Shards shards(1);
  auto server = start_server(shards, router, {});
  REQUIRE(server.ok());
  Peer peer((*server)->port());
  peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const Response answer = peer.read_answer();
  CHECK(answer.headers.get("x-a") == "1  x-b: 2");
  CHECK_FALSE(answer.headers.has("x-b"));
  CHECK_FALSE(answer.headers.has("bad name"));
}

TEST_CASE("server: the trace of traceparent reaches the handler, or a new one does") {
  Fixture fixture;
  Peer peer = fixture.connect();
  const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  peer.send("GET /trace HTTP/1.1\r\nHost: x\r\ntraceparent: " + parent + "\r\n\r\n");
  CHECK(peer.read_answer().body == parent);
  peer.send("GET /trace HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(Trace::parse(peer.read_answer().body).valid());
}

TEST_CASE("server: the handler's deadline is the request timeout") {
  ServerOptions options;
  options.request_timeout = milliseconds(20);
  Fixture fixture(options);
  Peer peer = fixture.connect();
  peer.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(peer.read_answer().status == 504);
}

TEST_CASE("server: a slow head and a slow body are answered 408, an idle connection is closed") {
  ServerOptions options;
  options.header_timeout = options.body_timeout = options.idle_timeout = milliseconds(40);
  Fixture fixture(options);
  Peer head = fixture.connect();
  head.send("GET / HTTP/1.1\r\nHo");
  Peer body = fixture.connect();
  body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
  Peer idle = fixture.connect();
  CHECK(head.read_answer().status == 408);
  CHECK(head.at_end());
  CHECK(body.read_answer().status == 408);
  CHECK(body.at_end());
  CHECK(idle.at_end());
}

TEST_CASE(
    "server: who does not read an answer is closed in time, and nothing more is made for it") {
  ServerOptions options;
  options.write_timeout = milliseconds(60);
  int made = 0;
  Router router;
  add(router, "GET", "/large", [&made](const Context&, const Request&) {
    ++made;
    return large();
  });
  runtime::Shards shards(1);
  auto server = start_server(shards, router, options);
  REQUIRE(server.ok());
  Peer slow((*server)->port());
  for (int i = 0; i < 20; ++i) {
    slow.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  int looks = 0;
  do {
    shards.run(0, pause());
  } while (((*server)->connections() > 0 || made == 0) && ++looks < 5'000);
  CHECK((*server)->connections() == 0);
  CHECK(made == 1);
  CHECK(slow.read_answer().status == 0);  // what the kernel had taken of it, and then the end
}

TEST_CASE("server: stop closes idle connections and cancels what outlasts the grace") {
  Fixture fixture;
  Peer idle = fixture.connect();
  idle.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(idle.read_answer().status == 200);
  Peer busy = fixture.connect();
  busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  fixture.server->stop(milliseconds(30));
  CHECK(idle.at_end());
  CHECK(busy.at_end());
  CHECK(fixture.server->connections() == 0);
  CHECK_FALSE(Peer(fixture.server->port()).connected());
}

TEST_CASE("server: answers are counted by status class, and open connections shown") {
  observe::Metrics metrics;
  {
    ServerOptions options;
    options.metrics = &metrics;
    Fixture fixture(options);
    Peer peer = fixture.connect();
    peer.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /../ HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(peer.read_answer().status == 200);
    CHECK(peer.read_answer().status == 400);
    const std::string text = metrics.open_metrics();
    CHECK(text.find("aios_http_requests_total{class=\"2xx\"} 1\n") != std::string::npos);
    CHECK(text.find("aios_http_requests_total{class=\"4xx\"} 1\n") != std::string::npos);
    CHECK(text.find("aios_http_request_seconds_count 2\n") != std::string::npos);
  }
  CHECK(metrics.open_metrics().find("aios_http_connections 0.0\n") != std::string::npos);
}

TEST_CASE("server: a port that is taken is an error that names it") {
  Fixture fixture;
  ServerOptions options;
  options.port = fixture.server->port();
  auto second = start_server(fixture.shards, fixture.router, options);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code() == Code::unavailable);
  CHECK(second.error().page() == 310);
  CHECK(second.error().message().find(std::to_string(options.port)) != std::string::npos);
}

}  // namespace
}  // namespace aios::net

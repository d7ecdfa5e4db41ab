// SPDX-License-Identifier: Apache-2.0
#include "net/http.h"

#include "runtime/sim.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::net {
namespace {

Task<Response> say(std::string text) { co_return text_response(200, std::move(text)); }

Handler saying(const std::string& text) {
  return [text](const Context&, const Request& request) {
    std::string out = text;
    for (const auto& [name, value] : request.path_parameters) {
      out += " " + name + "=" + value;
    }
    return say(std::move(out));
  };
}

void add(Router& router, const std::string& method, const std::string& pattern) {
  Route route;
  route.method = method;
  route.pattern = pattern;
  route.handler = saying(method + " " + pattern);
  router.add(std::move(route));
}

Response ask(const Router& router, const std::string& method, const std::string& target) {
  runtime::SimExecutor loop;
  Request request;
  request.method = method;
  request.target = target;
  return loop.run(router.dispatch(Context{}, std::move(request)));
}

TEST_CASE("router: exact segments win over names, and names are decoded") {
  Router router;
  add(router, "GET", "/runs/{id}");
  add(router, "GET", "/runs/stats");
  add(router, "GET", "/runs/{id}/explain");
  add(router, "GET", "/files/{rest*}");
  CHECK(ask(router, "GET", "/runs/stats").body == "GET /runs/stats");
  CHECK(ask(router, "GET", "/runs/a%2Fb?x=1").body == "GET /runs/{id} id=a/b");
  CHECK(ask(router, "GET", "/runs/7/explain").body == "GET /runs/{id}/explain id=7");
  CHECK(ask(router, "GET", "/runs/stats/explain").body == "GET /runs/{id}/explain id=stats");
  CHECK(ask(router, "GET", "/files/a/b%20c").body == "GET /files/{rest*} rest=a/b c");
}

TEST_CASE("router: an unknown path is 404 and a known path with another method 405 with Allow") {
  Router router;
  add(router, "GET", "/runs/{id}");
  add(router, "DELETE", "/runs/{id}");
  const Response missing = ask(router, "GET", "/run/1");
  CHECK(missing.status == 404);
  CHECK(missing.headers.get("Content-Type") == "application/problem+json");
  CHECK(ask(router, "GET", "/runs/1/2").status == 404);
  CHECK(ask(router, "GET", "/runs/").status == 404);
  const Response wrong = ask(router, "POST", "/runs/1");
  CHECK(wrong.status == 405);
  CHECK(wrong.headers.get("allow") == "DELETE, GET, HEAD");
}

TEST_CASE("router: HEAD is answered by the GET route") {
  Router router;
  add(router, "GET", "/a");
  CHECK(ask(router, "HEAD", "/a").status == 200);
  CHECK(ask(router, "OPTIONS", "*").status == 204);
}

TEST_CASE("router: a bad target from inside the process is a problem, not a match") {
  Router router;
  add(router, "GET", "/{rest*}");
  CHECK(ask(router, "GET", "/a/../b").status == 400);
  CHECK(ask(router, "GET", "/%zz").status == 400);
}

TEST_CASE("router: the body bound is the route's") {
  Router router;
  Route route;
  route.method = "POST";
  route.pattern = "/big/{id}";
  route.body_bytes_max = 77;
  route.handler = saying("x");
  router.add(std::move(route));
  const auto ruling = [&router](std::string method, std::string target) {
    Request head;
    head.method = std::move(method);
    head.target = std::move(target);
    return router.rule_body(head);
  };
  CHECK(ruling("POST", "/big/1?x=2").bytes_max == 77);
  CHECK(ruling("GET", "/big/1").refusal.value().status == 405);
  CHECK(ruling("POST", "/small").refusal.value().status == 404);
}

TEST_CASE("target: path and query are decoded, in order") {
  Request request;
  REQUIRE(parse_target("/a%20b/c?x=1&y=a%26b+c&&z", &request).ok());
  CHECK(request.path == "/a b/c");
  REQUIRE(request.query.size() == 3);
  CHECK(request.query_value("x") == "1");
  CHECK(request.query_value("y") == "a&b c");
  CHECK(request.query[2].first == "z");
  CHECK(request.query_value("none").empty());
}

TEST_CASE("target: absolute form keeps path and query only") {
  Request request;
  REQUIRE(parse_target("http://host:80/p/q?r=1", &request).ok());
  CHECK(request.target == "/p/q?r=1");
  CHECK(request.path == "/p/q");
  REQUIRE(parse_target("HTTPS://host?r=1", &request).ok());
  CHECK(request.path == "/");
  CHECK(request.query_value("r") == "1");
}

TEST_CASE("target: what is ambiguous or no target is refused") {
  for (const char* bad :
       {"", "a", "/a b", "/a\tb", "/a#b", "/%", "/%4", "/%4g", "/%00", "/%0a", "/a/./b", "/a/..",
        "/%2e%2e/b", "/a%2f..%2fb", "/\xc3\xa4", "/%ff", "http://", "ftp://x/", "/?a=%ff"}) {
    Request request;
    CAPTURE(bad);
    auto parsed = parse_target(bad, &request);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code() == Code::invalid_argument);
    CHECK(parsed.error().page() == 306);
  }
}

TEST_CASE("percent-encoding: everything but unreserved characters, and back") {
  CHECK(percent_encode("aZ9-._~/ @\xc3\xa4") == "aZ9-._~%2F%20%40%C3%A4");
  auto back = percent_decode("aZ9-._~%2F%20%40%C3%A4+");
  REQUIRE(back.ok());
  CHECK(*back == "aZ9-._~/ @\xc3\xa4+");
  CHECK_FALSE(percent_decode("%a").ok());
}

TEST_CASE("headers: names are compared without case and set replaces all values") {
  Headers headers;
  headers.add("X-One", "1");
  headers.add("x-one", "2");
  CHECK(headers.get("X-ONE") == "1");
  CHECK(headers.count("x-One") == 2);
  headers.set("X-one", "3");
  CHECK(headers.size() == 1);
  CHECK(headers.begin()->name == "x-one");
  CHECK_FALSE(headers.has("y"));
}

TEST_CASE("problem: an RFC 9457 document with code, page and Retry-After") {
  const Response response = problem(Error(Code::rate_limited, "too many", Retry::same_call)
                                        .page(42)
                                        .after(std::chrono::milliseconds(1200)));
  CHECK(response.status == 429);
  CHECK(response.headers.get("retry-after") == "2");
  auto body = parse_json(response.body);
  REQUIRE(body.ok());
  CHECK(text_or(*body, "type", "") == "/docs/errors/AIOS-0042");
  CHECK(text_or(*body, "code", "") == "rate_limited");
  CHECK(text_or(*body, "detail", "") == "too many");
  CHECK(int_or(*body, "status", 0) == 429);
  CHECK(problem(Error(Code::unauthenticated, "who")).headers.has("www-authenticate"));
}

TEST_CASE("problem: a bound that passes is 503, one that the same call meets again is 422") {
  CHECK(problem(Error(Code::resource_exhausted, "the disk is full", Retry::same_call)).status ==
        503);
  const auto lasting = problem(Error(Code::resource_exhausted, "nested deeper than 256 levels"));
  CHECK(lasting.status == 422);
  CHECK(text_or(parse_json(lasting.body).value(), "title", "") == "Unprocessable Content");
}

TEST_CASE("http status: every code has one") {
  for (int code = 0; code <= static_cast<int>(Code::rate_limited); ++code) {
    const int status = problem(Error(static_cast<Code>(code), "x", Retry::same_call)).status;
    CHECK(status >= 400);
    CHECK(reason_phrase(status) != "Status");
  }
}

}  // namespace
}  // namespace aios::net

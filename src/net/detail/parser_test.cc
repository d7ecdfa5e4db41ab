// SPDX-License-Identifier: Apache-2.0
#include "net/detail/parser.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::net::detail {
namespace {

struct Seen {
  int messages = 0;
  int error_status = 0;
  std::string error;
  std::string method, target, body;
  Headers headers;
  bool keep_alive = false;
};

/// Feeds a request stream in pieces of `step` bytes.
Seen feed(std::string_view text, std::size_t step, std::size_t body_bytes_max = 100) {
  Seen seen;
  Parser parser(Parser::Kind::request, {});
  std::string waiting;
  for (std::size_t at = 0; at < text.size(); at += step) {
    waiting += text.substr(at, step);
    bool moved = true;
    while (moved) {
      const std::size_t used = parser.consume(waiting);
      waiting.erase(0, used);
      moved = used > 0;
      if (parser.state() == Parser::State::body_ready) {
        parser.start_body(body_bytes_max);
        moved = true;
      }
      if (parser.state() == Parser::State::done) {
        ++seen.messages;
        seen.method = parser.method();
        seen.target = parser.target();
        seen.body = parser.body();
        seen.headers = parser.headers();
        seen.keep_alive = parser.keep_alive();
        parser.reset();
        moved = true;
      }
    }
    if (parser.state() == Parser::State::failed) {
      seen.error_status = parser.error_status();
      seen.error = parser.error().text();
      return seen;
    }
  }
  return seen;
}

constexpr std::string_view host = "Host: a\r\n";

TEST_CASE("parser: a request with a body is the same whole and cut at every byte") {
  const std::string text =
      "POST /p?q HTTP/1.1\r\nHost: a:80\r\nX-A:  b c \t\r\nContent-Length: "
      "5\r\n\r\nhello";
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, text.size()}) {
    const Seen seen = feed(text, step);
    CAPTURE(step);
    REQUIRE(seen.messages == 1);
    CHECK(seen.method == "POST");
    CHECK(seen.target == "/p?q");
    CHECK(seen.headers.get("x-a") == "b c");
    CHECK(seen.body == "hello");
    CHECK(seen.keep_alive);
  }
}

TEST_CASE("parser: chunks are joined, extensions and trailers are read and dropped") {
  const std::string text =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3;a=b;c=\"d;\\\"e\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nX: y\r\n\r\n";
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, text.size()}) {
    const Seen seen = feed(text, step);
    REQUIRE(seen.messages == 1);
    CHECK(seen.body == "abc0123456789");
    CHECK_FALSE(seen.headers.has("x"));
  }
}

TEST_CASE("parser: pipelined requests come one after the other") {
  CHECK(
      feed("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", 1000).messages ==
      2);
}

TEST_CASE("parser: keep-alive follows version and Connection") {
  CHECK(feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 9).keep_alive);
  CHECK_FALSE(feed("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", 9).keep_alive);
  CHECK_FALSE(feed("GET / HTTP/1.0\r\n\r\n", 9).keep_alive);
  CHECK(feed("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 9).keep_alive);
}

TEST_CASE("parser: bounds answer 414, 431 and 413") {
  CHECK(feed("GET /" + std::string(9000, 'a'), 100000).error_status == 414);
  const std::string start = "POST / HTTP/1.1\r\n" + std::string(host);
  CHECK(feed(start + "X: " + std::string(40000, 'a'), 100000).error_status == 431);
  std::string many = start;
  for (int i = 0; i < 200; ++i) {
    many += "X: y\r\n";
  }
  CHECK(feed(many, 100000).error_status == 431);
  CHECK(feed(start + "Content-Length: 101\r\n\r\n", 1000).error_status == 413);
  CHECK(feed(start + "Content-Length: 101\r\n\r\n", 1000).error.find("101 bytes, at most 100") !=
        std::string::npos);
  CHECK(feed(start + "Transfer-Encoding: chunked\r\n\r\n65\r\n", 1000).error_status == 413);
  CHECK(feed(start + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(300, 'x'), 1000)
            .error_status == 400);
}

TEST_CASE("parser: versions and codings that are not spoken have their own status") {
  CHECK(feed("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 100).error_status == 505);
  CHECK(feed("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 100)
            .error_status == 501);
  CHECK(feed("GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", 100).error_status == 417);
}

TEST_CASE("parser: a repeated Content-Length, also an equal one, is refused") {
  CHECK(feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 100)
            .error_status == 400);
}

TEST_CASE("parser: Host is wanted once and must be a host") {
  CHECK(feed("GET / HTTP/1.1\r\n\r\n", 100).error_status == 400);
  for (const char* good : {"a", "a:1", "[::1]:80", "127.0.0.1", "", "a.b:", "x%20"}) {
    CAPTURE(good);
    CHECK(feed("GET / HTTP/1.1\r\nHost: " + std::string(good) + "\r\n\r\n", 100).messages == 1);
  }
  for (const char* bad : {"a b", "a/b", "u@a", "a:b", "a:99999", "[::1", "a:1:2", "::1"}) {
    CAPTURE(bad);
    CHECK(feed("GET / HTTP/1.1\r\nHost: " + std::string(bad) + "\r\n\r\n", 100).error_status ==
          400);
  }
}

struct Answer {
  Parser::State state = Parser::State::head;
  int status = 0;
  std::string body;
  bool keep_alive = false;
};
Answer read_answer(std::string_view text, bool to_head, bool then_closed) {
  Parser parser(Parser::Kind::response, {});
  if (to_head) {
    parser.expect_no_body();
  }
  const std::size_t used = parser.consume(text);
  if (parser.state() == Parser::State::body_ready) {
    parser.start_body(100);
    parser.consume(text.substr(used));
  }
  if (then_closed) {
    parser.finish();
  }
  return {parser.state(), parser.status(), parser.body(), parser.keep_alive()};
}

TEST_CASE("parser: answers end by length, by chunks, by the connection's end, or have no body") {
  using State = Parser::State;
  CHECK(read_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false, false).body == "ab");
  CHECK(read_answer("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", false,
                    false)
            .body == "a");
  const Answer closed = read_answer("HTTP/1.1 200 OK\r\n\r\nabc", false, true);
  CHECK(closed.state == State::done);
  CHECK(closed.body == "abc");
  CHECK_FALSE(closed.keep_alive);
  CHECK(read_answer("HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n", false, false).state ==
        State::done);
  CHECK(read_answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true, false).state ==
        State::done);
}

TEST_CASE("parser: an answer cut off inside its body is an error, never a shorter answer") {
  CHECK(read_answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", false, true).state ==
        Parser::State::failed);
  CHECK(read_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", false, true)
            .state == Parser::State::failed);
}

}  // namespace
}  // namespace aios::net::detail

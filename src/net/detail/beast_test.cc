// SPDX-License-Identifier: Apache-2.0
// The parser beside Boost.Beast's: what we take, Beast takes too and reads the same; and mutated
// messages give the same result however they are cut.
#include "net/detail/parser.h"

#include <doctest/doctest.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::net::detail {
namespace {

namespace beast = boost::beast;

struct Read {
  std::string method, target, body;
  std::size_t fields = 0;
  bool keep_alive = false;
  bool operator==(const Read&) const = default;
};

std::optional<Read> read_ours(std::string_view text, std::size_t step) {
  Parser parser(Parser::Kind::request, {});
  parser.allow_missing_host();
  std::string waiting;
  for (std::size_t at = 0; at < text.size() || !waiting.empty(); at += step) {
    waiting += text.substr(std::min(at, text.size()), step);
    std::size_t used = 1;
    while (used > 0 || parser.state() == Parser::State::body_ready) {
      if (parser.state() == Parser::State::body_ready) {
        parser.start_body(1 << 20);
      }
      used = parser.consume(waiting);
      waiting.erase(0, used);
    }
    if (parser.state() == Parser::State::done) {
      return Read{parser.method(), parser.target(), parser.body(), parser.headers().size(),
                  parser.keep_alive()};
    }
    if (parser.state() == Parser::State::failed || at >= text.size()) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<Read> read_beast(std::string_view text) {
  beast::http::request_parser<beast::http::string_body> parser;
  parser.eager(true);
  beast::error_code error;
  std::size_t at = 0;
  while (!parser.is_done() && at < text.size()) {
    const auto used = parser.put(boost::asio::buffer(text.data() + at, text.size() - at), error);
    if (error || used == 0) {
      return std::nullopt;
    }
    at += used;
  }
  if (!parser.is_done()) {
    return std::nullopt;
  }
  const auto& message = parser.get();
  std::size_t fields = 0;
  for (auto field = message.begin(); field != message.end(); ++field) {
    ++fields;
  }
  return Read{std::string(message.method_string()), std::string(message.target()), message.body(),
              fields, message.keep_alive()};
}

std::vector<std::string> corpus() {
  return {
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /a?b=c&d HTTP/1.0\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\n",
      "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
      "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n",
      "DELETE /x/y HTTP/1.1\r\nHost: [::1]:80\r\nX-Empty:\r\nX-Tab:\t a b\t\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=\"2\"\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
      "PATCH /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
  };
}

TEST_CASE("parser and Beast: well-formed requests are read alike") {
  for (const std::string& text : corpus()) {
    CAPTURE(text);
    const auto ours = read_ours(text, text.size());
    const auto theirs = read_beast(text);
    REQUIRE(ours.has_value());
    REQUIRE(theirs.has_value());
    CHECK(ours->method == theirs->method);
    CHECK(ours->target == theirs->target);
    CHECK(ours->body == theirs->body);
    CHECK(ours->fields == theirs->fields);
    CHECK(ours->keep_alive == theirs->keep_alive);
  }
}

TEST_CASE("parser: mutated messages give one result however they are cut, and Beast agrees") {
  std::uint64_t seed = 0x9e3779b97f4a7c15;
  const auto below = [&seed](std::size_t bound) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>((seed >> 33) % bound);
  };
  const std::string bytes("\r\n\t :;,0a5\"\x01\x7f\xff{", 15);
  int taken = 0;
  int refused = 0;
  for (int round = 0; round < 4'000; ++round) {
    const auto all = corpus();
    std::string text = all[below(all.size())];
    for (std::size_t i = 0; i <= below(3); ++i) {
      const std::size_t at = below(text.size());
      if (below(3) == 0) {
        text.erase(at, 1);
      } else if (below(2) == 0) {
        text.insert(at, 1, bytes[below(bytes.size())]);
      } else {
        text[at] = bytes[below(bytes.size())];
      }
    }
    CAPTURE(text);
    const auto whole = read_ours(text, text.size());
    CHECK(whole == read_ours(text, 1));
    CHECK(whole == read_ours(text, 1 + below(9)));
    (whole ? taken : refused) += 1;
    if (whole) {
      const auto theirs = read_beast(text);
      if (theirs) {  // Beast refuses some that RFC 9110 allows; it must never read them otherwise
        CHECK(whole->target == theirs->target);
        CHECK(whole->body == theirs->body);
        CHECK(whole->fields == theirs->fields);
      }
    }
  }
  CHECK(taken > 200);
  CHECK(refused > 200);
}

}  // namespace
}  // namespace aios::net::detail

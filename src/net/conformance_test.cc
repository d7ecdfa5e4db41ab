// SPDX-License-Identifier: Apache-2.0
// The strict cases of pack `http` against the parser, whole and cut at every byte.
#include "core/json.h"
#include "net/detail/parser.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>

namespace aios::net::detail {
namespace {

struct Verdict {
  bool error = false;
  int messages = 0;
  bool operator==(const Verdict&) const = default;
};

/// Feeds a stream as a connection would; data behind the last message of a connection is an error.
class Stream {
 public:
  explicit Stream(Parser::Kind kind) : parser_(kind, {}) { parser_.allow_missing_host(); }
  void feed(std::string_view data) {
    waiting_ += data;
    bool moved = true;
    while (moved && !verdict_.error) {
      if (over_) {
        verdict_.error = !waiting_.empty();
        return;
      }
      const std::size_t used = parser_.consume(waiting_);
      waiting_.erase(0, used);
      moved = used > 0 || look();
    }
  }
  Verdict verdict() const { return verdict_; }

 private:
  bool look() {
    switch (parser_.state()) {
      case Parser::State::body_ready: parser_.start_body(1 << 20); return true;
      case Parser::State::done:
        ++verdict_.messages;
        over_ = !parser_.keep_alive();
        parser_.reset();
        return true;
      case Parser::State::failed: verdict_.error = true; return false;
      default: return false;
    }
  }
  Parser parser_;
  std::string waiting_;
  Verdict verdict_;
  bool over_ = false;
};

std::optional<Json> load_pack(const std::string& file) {
  const char* configured = std::getenv("AIOS_CONFORMANCE_DIR");
  const std::string directory = configured != nullptr ? configured : "../shared/conformance";
  std::ifstream in(directory + "/http/" + file, std::ios::binary);
  if (!in) {
    return std::nullopt;
  }
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  auto parsed = parse_json(text);
  REQUIRE(parsed.ok());
  return *parsed;
}

/// Where we differ from the pack on purpose: "file / name" and why. Every entry must be needed.
std::map<std::string, std::string> deviations() {
  const std::string upgrade = "Upgrade is ignored: what follows is read as the next request";
  const std::string answer_101 =
      "nobody asked for an upgrade: what follows a 101 is read as the next answer";
  const std::string reset = "the pack's harness drops the body; here the length counts";
  const std::string method = "a method is any token (RFC 9110 section 9.1); the router answers 405";
  const std::string protocol = "neither RTSP nor ICE is spoken";
  const std::string coding = "codings other than chunked are refused";
  return {
      {"request/connection / `keep-alive` / CRLF between requests, implicit `keep-alive`",
       "one empty line is skipped before a message, not two"},
      {"request/connection / Parsing multiple tokens / Multiple tokens with folding and LWS",
       upgrade},
      {"request/connection / `upgrade` / Upgrade GET request", upgrade},
      {"request/connection / `upgrade` / Upgrade POST request", upgrade},
      {"request/content-length / Content-Length reset when no body is received", reset},
      {"request/invalid / HTTP protocol and ANNOUNCE method", method},
      {"request/invalid / Invalid method", method},
      {"request/invalid / Invalid HTTP version",
       "the version is judged when the line is whole (505)"},
      {"request/method / CONNECT request",
       "no tunnels: the bytes behind are data after the last message"},
      {"request/method / CONNECT with body",
       "no tunnels: the bytes behind are data after the last message"},
      {"request/method / SOURCE request with ICE", protocol},
      {"request/method / OPTIONS request with RTSP", protocol},
      {"request/method / ANNOUNCE request with RTSP", protocol},
      {"request/method / PRI request HTTP2",
       "HTTP/2 is not spoken here: PRI is a method like any other"},
      {"request/sample / No HTTP version", "HTTP/0.9 is not spoken"},
      {"request/transfer-encoding / POST with `chunked` as last transfer-encoding", coding},
      {"request/transfer-encoding / POST with `chunked` as last transfer-encoding "
       "(multiple headers)",
       coding},
      {"request/uri / Fragment in URI", "a fragment is no part of a request target"},
      {"response/connection / HTTP 101 response with Upgrade and Content-Length header",
       answer_101},
      {"response/connection / HTTP 101 response with Upgrade and Transfer-Encoding header",
       answer_101},
      {"response/content-length / Content-Length reset when no body is received", reset},
      {"response/sample / RTSP response", protocol},
      {"response/sample / ICE response", protocol},
      {"response/sample / HTTP version 0.9", "HTTP/0.9 is not spoken"},
      {"response/transfer-encoding / `chunked` before other transfer-encoding", coding},
      {"response/transfer-encoding / multiple transfer-encoding where chunked is not "
       "the last one",
       coding},
      {"response/transfer-encoding / `chunkedchunked` transfer-encoding does not enable "
       "chunked enconding",
       coding},
  };
}

TEST_CASE("conformance: the strict parser cases, whole and cut at every byte") {
  const auto pack = load_pack("llhttp-strict.json");
  if (!pack) {
    MESSAGE("SKIPPED: pack http (llhttp-strict.json) is not there");
    return;
  }
  auto known = deviations();
  int cases = 0;
  for (const Json& item : pack->as_array()) {
    const std::string name =
        std::string(text_or(item, "file", "")) + " / " + std::string(text_or(item, "name", ""));
    const std::string_view input = text_or(item, "input", "");
    const auto kind = text_or(item, "mode", "").starts_with("request") ? Parser::Kind::request
                                                                       : Parser::Kind::response;
    Stream whole(kind);
    whole.feed(input);
    Stream cut(kind);
    for (const char c : input) {
      cut.feed(std::string_view(&c, 1));
    }
    CAPTURE(name);
    CHECK(whole.verdict() == cut.verdict());
    const Verdict want{bool_or(item, "want_error", false),
                       static_cast<int>(int_or(item, "messages_complete", 0))};
    ++cases;
    if (known.erase(name) != 0) {
      CHECK_FALSE(whole.verdict() == want);
      continue;
    }
    CAPTURE(std::string(input));
    CHECK(whole.verdict().error == want.error);
    CHECK(whole.verdict().messages == want.messages);
  }
  CHECK(cases == 186);
  for (const auto& [name, why] : known) {
    FAIL_CHECK("no case is named: " << name);
  }
}

}  // namespace
}  // namespace aios::net::detail

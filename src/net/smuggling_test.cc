// SPDX-License-Identifier: Apache-2.0
// Pack `http`, request smuggling: each case against a live server, with a second request behind.
#include "core/json.h"
#include "net/server.h"
#include "net/test/peer.h"
#include "runtime/shards.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace aios::net {
namespace {

using detail::Peer;

Task<Response> say_path(Request request) { co_return text_response(200, std::move(request.path)); }

std::optional<Json> load_pack() {
  const char* configured = std::getenv("AIOS_CONFORMANCE_DIR");
  const std::string directory = configured != nullptr ? configured : "../shared/conformance";
  std::ifstream in(directory + "/http/request-smuggling.json", std::ios::binary);
  if (!in) {
    return std::nullopt;
  }
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  auto parsed = parse_json(text);
  REQUIRE(parsed.ok());
  return *parsed;
}

/// One byte per code point up to 255.
std::string to_bytes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      out.push_back(text[i]);
    } else {
      ++i;
      const auto low = static_cast<unsigned char>(text[i]);
      out.push_back(static_cast<char>(((byte & 3) << 6) | (low & 0x3f)));
    }
  }
  return out;
}

/// What we chose where the pack leaves both open.
std::map<std::string, std::string> choices() {
  return {{"CL with leading zeros", "refuse"},
          {"trailer holds framing", "accept"},
          {"absolute target differs from Host", "accept"},
          {"version 1.2", "refuse"},
          {"lower-case method", "refuse"},
          {"Expect unknown", "refuse"},
          {"connection header names framing", "accept"}};
}

struct Outcome {
  bool refused = false;  ///< the first answer is 4xx or 5xx
  bool second_answered = false;
  bool ended = false;
};

Outcome try_case(std::uint16_t port, const std::string& raw) {
  Peer peer(port);
  peer.send(raw);
  peer.send("GET /second HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
  Outcome outcome;
  for (int i = 0; i < 4; ++i) {
    const Response answer = peer.read_answer();
    if (answer.status == 0) {
      outcome.ended = peer.at_end();
      return outcome;
    }
    outcome.refused = outcome.refused || (i == 0 && answer.status >= 400);
    outcome.second_answered = outcome.second_answered || answer.body == "/second";
  }
  return outcome;
}

TEST_CASE("smuggling: what is ambiguous is refused and nothing behind it is answered") {
  const auto pack = load_pack();
  if (!pack) {
    MESSAGE("SKIPPED: pack http (request-smuggling.json) is not there");
    return;
  }
  Router router;
  for (const char* method : {"GET", "POST"}) {
    Route route;
    route.method = method;
    route.pattern = "/{rest*}";
    route.handler = [](const Context&, Request request) { return say_path(std::move(request)); };
    router.add(std::move(route));
  }
  for (const char* method : {"GET", "POST"}) {
    Route route;
    route.method = method;
    route.pattern = "/";
    route.handler = [](const Context&, Request request) { return say_path(std::move(request)); };
    router.add(std::move(route));
  }
  runtime::Shards shards(1);
  auto server = start_server(shards, router, {});
  REQUIRE(server.ok());
  auto choice = choices();
  int cases = 0;
  for (const Json& item : find(*pack, "cases")->as_array()) {
    const std::string name(text_or(item, "name", ""));
    std::string want(text_or(item, "want", ""));
    CAPTURE(name);
    if (want == "either") {
      REQUIRE(choice.contains(name));
      want = choice[name];
    }
    const Outcome outcome = try_case((*server)->port(), to_bytes(text_or(item, "raw", "")));
    CHECK(outcome.refused == (want == "refuse"));
    CHECK(outcome.ended);
    // An unknown method is refused by the router: its framing is sound, so the next one is served.
    const bool framed = name == "lower-case method";
    CHECK(outcome.second_answered == (want != "refuse" || framed));
    ++cases;
  }
  CHECK(cases == 70);
}

}  // namespace
}  // namespace aios::net

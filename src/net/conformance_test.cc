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
  return {
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

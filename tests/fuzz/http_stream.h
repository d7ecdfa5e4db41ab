// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/fuzz/http_stream: a stream of messages through the HTTP parser, whole and in pieces.

#include "net/detail/grammar.h"
#include "net/detail/parser.h"
#include "net/detail/serialize.h"
#include "tests/fuzz/fuzz.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace aios::fuzz {

struct Message {
  std::string method, target, body;
  int status = 0;
  bool keep_alive = false;
  net::Headers headers;
};
inline bool operator==(const Message& a, const Message& b) {
  const auto same = [](const net::Header& x, const net::Header& y) {
    return x.name == y.name && x.value == y.value;
  };
  return a.method == b.method && a.target == b.target && a.body == b.body && a.status == b.status &&
         a.keep_alive == b.keep_alive &&
         std::equal(a.headers.begin(), a.headers.end(), b.headers.begin(), b.headers.end(), same);
}

enum class End : std::uint8_t { clean, within_a_message, refused };

struct Stream {
  std::vector<Message> messages;
  End end = End::clean;
};

enum class Pieces : std::uint8_t { two, alike };

struct Feeding {
  std::size_t piece = SIZE_MAX;  ///< bytes of the first piece
  Pieces pieces = Pieces::two;   ///< what follows: all the rest, or as many bytes again and again
  net::detail::ParserLimits limits{};
};

/// Bounds that a short input can reach.
inline constexpr net::detail::ParserLimits narrow = {
    .line_bytes_max = 200, .head_bytes_max = 1000, .fields_max = 16, .body_bytes_max = 256};

/// Takes the messages that are whole off `waiting`.
inline void take_messages(net::detail::Parser& parser, std::size_t body_bytes_max,
                          std::string& waiting, Stream& out) {
  using State = net::detail::Parser::State;
  for (bool moved = true; moved && parser.state() != State::failed;) {
    const std::size_t used = parser.consume(waiting);
    AIOS_ASSERT(used <= waiting.size());
    waiting.erase(0, used);
    moved = used > 0;
    if (parser.state() == State::body_ready) {
      parser.start_body(body_bytes_max);
      moved = true;
    }
    AIOS_ASSERT(parser.body().size() <= body_bytes_max);
    if (parser.state() == State::done) {
      out.messages.push_back({parser.method(), parser.target(), parser.body(), parser.status(),
                              parser.keep_alive(), parser.headers()});
      parser.reset();
      moved = true;
    }
  }
}

inline Stream read_stream(net::detail::Parser::Kind kind, std::string_view text,
                          const Feeding& feeding = {}) {
  using State = net::detail::Parser::State;
  Stream out;
  net::detail::Parser parser(kind, feeding.limits);
  std::string waiting;
  for (std::size_t at = 0; at < text.size() && parser.state() != State::failed;) {
    const bool rest = at > 0 && feeding.pieces == Pieces::two;
    const std::size_t size = std::min(rest ? text.size() : feeding.piece, text.size() - at);
    waiting += text.substr(at, size);
    at += size;
    take_messages(parser, feeding.limits.body_bytes_max, waiting, out);
  }
  if (parser.state() == State::body) {
    parser.finish();
    take_messages(parser, feeding.limits.body_bytes_max, waiting, out);
    out.end = parser.state() == State::failed ? End::within_a_message : End::clean;
  } else if (parser.state() == State::failed) {
    AIOS_ASSERT(parser.error_status() >= 400 && !parser.error().message().empty());
    out.end = End::refused;
  } else {
    out.end = parser.begun() || !waiting.empty() ? End::within_a_message : End::clean;
  }
  return out;
}

/// Wherever it is cut it is the same. (What a long line is refused for may differ: its length or
/// what stands behind that.)
inline void check_cuts(net::detail::Parser::Kind kind, std::string_view text, const Stream& whole) {
  const auto check = [&](const Feeding& feeding) {
    const Stream cut = read_stream(kind, text, feeding);
    AIOS_ASSERT(cut.messages == whole.messages);
    AIOS_ASSERT(cut.end == whole.end);
  };
  const std::size_t step = 1 + text.size() / 200;
  for (std::size_t at = 1; at < text.size(); at += step) {
    check({.piece = at, .limits = narrow});
  }
  for (const std::size_t piece : {1, 2, 7}) {
    check({.piece = piece, .pieces = Pieces::alike, .limits = narrow});
  }
}

/// Nothing in a field can end its line.
inline void check_fields(const net::Headers& headers) {
  using namespace net::detail;
  for (const auto& [name, value] : headers) {
    AIOS_ASSERT(!name.empty() && skip(token_set, name, 0) == name.size());
    AIOS_ASSERT(skip(field_set, value, 0) == value.size());
    AIOS_ASSERT(
        std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
  }
}

}  // namespace aios::fuzz

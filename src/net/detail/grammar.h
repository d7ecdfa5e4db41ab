// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/grammar: the character classes of HTTP/1.1 (RFC 9110 section 5.6, RFC 9112) and the
// lines of a message. Each reader takes text that may end anywhere: `more` means that what is
// there is a good beginning.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace aios::net::detail {

enum class Step : std::uint8_t { ok, more, bad };

constexpr bool in_set(std::string_view set, unsigned char c) {
  for (const char member : set) {
    if (static_cast<unsigned char>(member) == c) {
      return true;
    }
  }
  return false;
}
constexpr bool is_alnum(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

using CharacterSet = std::array<bool, 256>;
constexpr CharacterSet make_set(std::string_view beside_alnum) {
  CharacterSet set{};
  for (std::size_t c = 0; c < set.size(); ++c) {
    set[c] = is_alnum(static_cast<unsigned char>(c)) ||
             in_set(beside_alnum, static_cast<unsigned char>(c));
  }
  return set;
}
constexpr CharacterSet make_range(std::size_t from, std::size_t to, std::string_view but) {
  CharacterSet set{};
  for (std::size_t c = from; c <= to; ++c) {
    set[c] = !in_set(but, static_cast<unsigned char>(c));
  }
  return set;
}
constexpr CharacterSet make_field() {
  CharacterSet set = make_range(0x20, 0xff, "\x7f");
  set['\t'] = true;
  return set;
}

inline constexpr CharacterSet token_set = make_set("!#$%&'*+-.^_`|~");
inline constexpr CharacterSet target_set = make_range(0x21, 0x7e, "#");
inline constexpr CharacterSet field_set = make_field();  ///< field-vchar, blank, tab
inline constexpr CharacterSet host_set = make_set("-._~!$&'()*+,;=%:[]");

constexpr bool is_in(const CharacterSet& set, char c) { return set[static_cast<unsigned char>(c)]; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Moves `at` behind the longest run of the set.
constexpr std::size_t skip(const CharacterSet& set, std::string_view text, std::size_t at) {
  while (at < text.size() && is_in(set, text[at])) {
    ++at;
  }
  return at;
}

struct RequestLine {
  std::string_view method, target;
  int major = 0, minor = 0;
  std::size_t used = 0;  ///< with CRLF
};
Step read_request_line(std::string_view text, RequestLine* line);

struct StatusLine {
  int status = 0, major = 0, minor = 0;
  std::size_t used = 0;
};
Step read_status_line(std::string_view text, StatusLine* line);

struct FieldLine {
  std::string_view name, value;  ///< value without blanks around it
  bool last = false;             ///< the empty line that ends the head
  std::size_t used = 0;
};
Step read_field_line(std::string_view text, FieldLine* line);

struct ChunkLine {
  std::uint64_t size = 0;
  std::size_t used = 0;
};
/// Size of at most 15 digits, then extensions without blanks.
Step read_chunk_line(std::string_view text, ChunkLine* line);

/// 1 to 18 digits; false for anything else.
bool read_length(std::string_view text, std::uint64_t* length);
/// uri-host [":" port] of RFC 9110 section 7.2; the empty value is allowed.
bool is_host(std::string_view text);
/// True when a comma-separated list has the token (any case).
bool has_token(std::string_view list, std::string_view lower_token);

}  // namespace aios::net::detail

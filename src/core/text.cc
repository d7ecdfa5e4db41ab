// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace aios {
namespace {

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int hex_value(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

std::string encode64(std::string_view bytes, std::string_view alphabet, bool padding) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < n ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j <= n; ++j) {
      out.push_back(alphabet[group >> (18 - 6 * j) & 63]);
    }
    if (padding) {
      out.append(3 - n, '=');
    }
  }
  return out;
}

constexpr std::uint8_t no_digit = 64;
constexpr std::array<std::uint8_t, 256> base64_digits = [] {
  std::array<std::uint8_t, 256> out{};
  out.fill(no_digit);
  for (std::size_t i = 0; i < base64_alphabet.size(); ++i) {
    out[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return out;
}();

Error not_base64() { return Error(Code::invalid_argument, "the text is not base64"); }

Result<std::string> decode64(std::string_view text) {
  if (text.size() % 4 == 1) {
    return not_base64();
  }
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::uint8_t value = base64_digits[static_cast<unsigned char>(c)];
    if (value == no_digit) {
      return not_base64();
    }
    bits = bits << 6 | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 255));
    }
  }
  if ((bits & ((1U << count) - 1)) != 0) {  // left-over bits: not the canonical form
    return not_base64();
  }
  return out;
}

/// Bytes at the front that are ASCII, by eights; the rest is to be looked at one by one.
std::size_t ascii_bytes(std::string_view text) {
  constexpr std::uint64_t tops = 0x8080808080808080;
  std::size_t at = 0;
  std::uint64_t eight = 0;
  for (; text.size() - at >= sizeof(eight); at += sizeof(eight)) {
    std::memcpy(&eight, text.data() + at, sizeof(eight));
    if ((eight & tops) != 0) {
      break;
    }
  }
  return at;
}

/// Length of the valid UTF-8 sequence at the front; 0 when there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return follows(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) > 0x8F;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

/// Two neighbours that changed places count as one edit: it is the commonest slip of the hand.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);  // two rows ago
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({change, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out(bytes.size() * 2, '0');
  std::size_t at = 0;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out[at++] = digits[byte >> 4];
    out[at++] = digits[byte & 15];
  }
  return out;
}

Result<std::string> from_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) {
      return Error(Code::invalid_argument, "the text is not hexadecimal");
    }
    out.push_back(static_cast<char>(high * 16 + low));
  }
  if (text.size() % 2 != 0) {
    return Error(Code::invalid_argument, "hexadecimal text has an odd number of digits");
  }
  return out;
}

std::string to_base64(std::string_view bytes) { return encode64(bytes, base64_alphabet, true); }

Result<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) {
    return Error(Code::invalid_argument, "the text is not base64: its length is no multiple of 4");
  }
  for (int i = 0; i < 2 && text.ends_with('='); ++i) {
    text.remove_suffix(1);
  }
  return decode64(text);
}

std::string to_base64url(std::string_view bytes) {
  return encode64(bytes, base64url_alphabet, false);
}

bool is_utf8(std::string_view text) {
  text.remove_prefix(ascii_bytes(text));
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
    if (length > 1) {
      text.remove_prefix(ascii_bytes(text));
    }
  }
  return true;
}

std::string ascii_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t at = 0;
  for (;;) {
    const std::size_t end = text.find(separator, at);
    parts.push_back(text.substr(at, end == std::string_view::npos ? end : end - at));
    if (end == std::string_view::npos) {
      return parts;
    }
    at = end + 1;
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string nearest_name(std::string_view wanted, const std::vector<std::string>& candidates) {
  if (wanted.size() > 256) {
    return {};
  }
  std::string best;
  std::size_t best_distance = SIZE_MAX;
  for (const auto& candidate : candidates) {
    if (candidate.size() > 256) {
      continue;
    }
    const std::size_t distance = edit_distance(ascii_lower(wanted), ascii_lower(candidate));
    if (distance < best_distance && distance * 3 <= candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& names) {
  const std::string near = nearest_name(wanted, names);
  return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

std::string hint(std::string_view wanted, const std::vector<std::string>& names) {
  constexpr std::size_t listed_max = 12;
  std::string near = did_you_mean(wanted, names);
  if (!near.empty()) {
    return near;
  }
  if (names.empty()) {
    return "; there is none";
  }
  const auto end = names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), listed_max));
  const std::string more =
      names.size() > listed_max ? fmt::format(" and {} more", names.size() - listed_max) : "";
  return fmt::format("; there are: {}{}", fmt::join(names.begin(), end, ", "), more);
}

std::string excerpt(std::string_view text, std::size_t characters_max) {
  const auto stays = [](char c) { return c >= 0x20 && c < 0x7F; };
  if (text.size() <= characters_max && std::all_of(text.begin(), text.end(), stays)) {
    return std::string(text);
  }
  std::string out;
  std::size_t count = 0;
  while (!text.empty()) {
    if (count++ == characters_max) {
      return out + "...";
    }
    const std::size_t length = sequence_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (length == 0 || first < 0x20 || first == 0x7F) {
      out.push_back('?');
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace aios

// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/folded.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace aios::govern::detail {
namespace {

struct Point {
  std::uint32_t value = 0;
  std::size_t bytes = 1;  // one where it is no character: it is kept as it is
};

unsigned char byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

Point point_at(std::string_view text, std::size_t at) {
  const unsigned char lead = byte_at(text, at);
  const std::size_t bytes = lead < 0x80   ? 1
                            : lead < 0xC0 ? 0
                            : lead < 0xE0 ? 2
                            : lead < 0xF0 ? 3
                                          : 4;
  if (bytes < 2 || at + bytes > text.size()) {
    return {lead < 0x80 ? lead : std::uint32_t{0xFFFD}, 1};
  }
  std::uint32_t value = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    const unsigned char next = byte_at(text, at + i);
    if ((next & 0xC0U) != 0x80U) {
      return {0xFFFD, 1};
    }
    value = value << 6U | (next & 0x3FU);
  }
  return {value, bytes};
}

struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  bool holds(std::uint32_t point) const { return point >= first && point <= last; }
};

template <std::size_t N>
bool in_any(const std::array<Range, N>& ranges, std::uint32_t point) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [point](const Range& range) { return range.holds(point); });
}

// Unicode's Zs without the blank itself; line and paragraph separators end a line and stay.
constexpr std::array blanks = std::to_array<Range>({{0xA0, 0xA0},
                                                    {0x1680, 0x1680},
                                                    {0x2000, 0x200A},
                                                    {0x202F, 0x202F},
                                                    {0x205F, 0x205F},
                                                    {0x3000, 0x3000}});
constexpr std::array dashes = std::to_array<Range>(
    {{0x2010, 0x2015}, {0x2043, 0x2043}, {0x2212, 0x2212}, {0xFE58, 0xFE58}, {0xFE63, 0xFE63}});
constexpr std::array unseen = std::to_array<Range>({{0xAD, 0xAD},
                                                    {0x61C, 0x61C},
                                                    {0x180E, 0x180E},
                                                    {0x200B, 0x200F},
                                                    {0x202A, 0x202E},
                                                    {0x2060, 0x206F},
                                                    {0xFE00, 0xFE0F},
                                                    {0xFEFF, 0xFEFF}});
// Where ten digits begin: Arabic, Persian, the scripts of India, Thai, Lao.
constexpr std::array<std::uint32_t, 14> zeros = {0x660, 0x6F0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66,
                                                 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0x17E0};
constexpr Range full_width = {0xFF01, 0xFF5E};
constexpr Range mathematical_digits = {0x1D7CE, 0x1D7FF};
constexpr char as_it_is = '\0';

/// What it looks like in ASCII.
char look_of(std::uint32_t point) {
  if (in_any(blanks, point)) {
    return ' ';
  }
  if (in_any(dashes, point)) {
    return '-';
  }
  if (full_width.holds(point)) {
    return static_cast<char>('!' + (point - full_width.first));
  }
  if (mathematical_digits.holds(point)) {
    return static_cast<char>('0' + (point - mathematical_digits.first) % 10);
  }
  for (const std::uint32_t zero : zeros) {
    if (point >= zero && point < zero + 10) {
      return static_cast<char>('0' + (point - zero));
    }
  }
  return as_it_is;
}

}  // namespace

Folded folded(std::string_view text) {
  Folded out;
  bool changed = false;
  const auto put = [&out](char c, std::size_t begin, std::size_t end) {
    out.text.push_back(c);
    out.begins.push_back(begin);
    out.ends.push_back(end);
  };
  if (std::all_of(text.begin(), text.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    return out;
  }
  for (std::size_t at = 0; at < text.size();) {
    const Point point = point_at(text, at);
    const std::size_t end = at + point.bytes;
    const char look = point.bytes > 1 ? look_of(point.value) : as_it_is;
    if (point.bytes > 1 && in_any(unseen, point.value)) {
      changed = true;
    } else if (look != as_it_is) {
      changed = true;
      put(look, at, end);
    } else {
      for (std::size_t i = at; i < end; ++i) {
        put(text[i], i, i + 1);
      }
    }
    at = end;
  }
  return changed ? out : Folded();
}

}  // namespace aios::govern::detail

// SPDX-License-Identifier: Apache-2.0
#include "models/detail/text_grams.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace aios::models::detail {
namespace {

constexpr std::uint64_t hash_prime = 0x9E3779B97F4A7C15ULL;
constexpr std::uint64_t word_seed = 0xA0761D6478BD642FULL;
constexpr std::uint64_t pair_seed = 0xE7037ED1A0B428DBULL;
constexpr std::uint64_t piece_seed = 0x8EBC6AF09C88C6E3ULL;
constexpr std::size_t piece_points_min = 2;
constexpr std::size_t piece_points_max = 5;
/// NFKC of one code point gives at most 18.
constexpr std::size_t decomposed_max = word_bytes_max * 18;

std::uint64_t add_byte(std::uint64_t hash, char byte) {
  return (hash ^ static_cast<unsigned char>(byte)) * hash_prime;
}

std::uint32_t finish(std::uint64_t hash) {
  const auto folded = static_cast<std::uint32_t>((hash ^ (hash >> 29)) >> 16);
  return folded == 0 ? 1 : folded;
}

/// For bytes below 128: the lower-case letter or digit, or 0 where a word ends.
constexpr std::array<char, 128> make_ascii_table() {
  std::array<char, 128> table{};
  for (int c = 0; c < 128; ++c) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool word = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    table[static_cast<std::size_t>(c)] = static_cast<char>(!word ? 0 : upper ? c + 32 : c);
  }
  return table;
}
constexpr std::array<char, 128> ascii_table = make_ascii_table();

bool is_ascii(char byte) { return static_cast<unsigned char>(byte) < 128; }

/// Length in bytes of the code point at `at` when it belongs to a word; negative: skip that many
/// bytes.
int word_point(std::string_view text, std::size_t at) {
  if (is_ascii(text[at])) {
    return ascii_table[static_cast<std::size_t>(text[at])] != 0 ? 1 : -1;
  }
  utf8proc_int32_t point = -1;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at;
  const auto length =
      utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
  if (length <= 0) {
    return -1;  // not UTF-8: as good as a space
  }
  const auto category = utf8proc_category(point);
  const bool word = (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO) ||
                    category == UTF8PROC_CATEGORY_SC;
  return word ? static_cast<int>(length) : -static_cast<int>(length);
}

}  // namespace

void Grams::read(std::string_view text) {
  text = text.substr(0, text_bytes_max);
  words_.clear();
  word_grams_.clear();
  piece_grams_.clear();
  previous_ = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t begin = at;
    bool ascii = true;
    int length = 0;
    while (at < text.size() && (length = word_point(text, at)) > 0) {
      ascii = ascii && length == 1;
      at += static_cast<std::size_t>(length);
    }
    if (at > begin) {
      add_run(text, begin, at, ascii);
    }
    if (at < text.size()) {
      at += static_cast<std::size_t>(-length);
    }
  }
}

void Grams::add_run(std::string_view text, std::size_t begin, std::size_t end, bool ascii) {
  while (end - begin > word_bytes_max) {
    std::size_t cut = begin + word_bytes_max;
    while (cut > begin + 1 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) {
      --cut;  // not inside a code point
    }
    add_word(text, begin, cut, ascii);
    begin = cut;
  }
  add_word(text, begin, end, ascii);
}

/// Fills padded_ and points_. @return bytes of the normalised word.
std::size_t Grams::normalize(std::string_view word) {
  decomposed_.resize(decomposed_max);
  constexpr auto options = static_cast<utf8proc_option_t>(
      UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(word.data());
  auto count = utf8proc_decompose(bytes, static_cast<utf8proc_ssize_t>(word.size()),
                                  decomposed_.data(), decomposed_max - 1, options);
  if (count < 0 || static_cast<std::size_t>(count) > decomposed_max - 1) {
    return 0;
  }
  count = utf8proc_reencode(decomposed_.data(), count, options);
  if (count <= 0) {
    return 0;
  }
  const auto size = static_cast<std::size_t>(count);
  padded_.resize(size + 2);
  std::memcpy(padded_.data() + 1, decomposed_.data(), size);
  points_.clear();
  for (std::size_t i = 0; i < size + 2; ++i) {
    if (i == 0 || i > size || (static_cast<unsigned char>(padded_[i]) & 0xC0U) != 0x80U) {
      points_.push_back(static_cast<std::uint16_t>(i));
    }
  }
  return size;
}

void Grams::add_word(std::string_view text, std::size_t begin, std::size_t end, bool ascii) {
  std::size_t size = end - begin;
  if (ascii) {
    padded_.resize(size + 2);
    points_.resize(size + 2);
    for (std::size_t i = 0; i < size; ++i) {
      padded_[i + 1] = ascii_table[static_cast<std::size_t>(text[begin + i])];
    }
    for (std::size_t i = 0; i < size + 2; ++i) {
      points_[i] = static_cast<std::uint16_t>(i);
    }
  } else {
    size = normalize(text.substr(begin, size));
  }
  if (size == 0) {
    return;
  }
  padded_[0] = ' ';
  padded_[size + 1] = ' ';
  points_.push_back(static_cast<std::uint16_t>(size + 2));
  std::uint64_t hash = word_seed;
  for (std::size_t i = 1; i <= size; ++i) {
    hash = add_byte(hash, padded_[i]);
  }
  const auto index = static_cast<std::uint16_t>(words_.size());
  words_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
  const std::uint32_t word = finish(hash);
  word_grams_.push_back({word, index, 1});
  if (index > 0) {
    const std::uint64_t pair = (pair_seed ^ previous_) * hash_prime;
    word_grams_.push_back(
        {finish((pair ^ word) * hash_prime), static_cast<std::uint16_t>(index - 1), 2});
  }
  previous_ = word;
  add_pieces(index);
}

void Grams::add_pieces(std::uint16_t word) {
  const std::size_t count = points_.size() - 1;  // code points, both spaces included
  for (std::size_t first = 0; first + piece_points_min <= count; ++first) {
    std::uint64_t hash = piece_seed;
    const std::size_t last = std::min(count, first + piece_points_max);
    for (std::size_t point = first; point < last; ++point) {
      for (std::size_t i = points_[point]; i < points_[point + 1]; ++i) {
        hash = add_byte(hash, padded_[i]);
      }
      if (point + 1 >= first + piece_points_min) {
        piece_grams_.push_back({finish(hash), word, 1});
      }
    }
  }
}

}  // namespace aios::models::detail

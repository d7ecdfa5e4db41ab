// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/personal.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace aios::govern::detail {
namespace {

constexpr std::size_t kGroupsMax = 5;
constexpr std::size_t kDigitsMin = 13;
constexpr std::size_t kDigitsMax = 19;
constexpr std::size_t kGapMax = 3;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_sign(char c) { return c == '-' || c == '.' || c == '/'; }

std::size_t digits_end(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) {
    ++at;
  }
  return at;
}

// Blanks, of which one may end a line, or one sign, with a digit behind; 0: none.
std::size_t gap_length(std::string_view text, std::size_t at) {
  std::size_t length = 0;
  if (at < text.size() && is_sign(text[at])) {
    length = 1;
  }
  while (length == 0 || is_blank(text[at])) {
    if (at + length == text.size() || length == kGapMax || !is_blank(text[at + length])) {
      break;
    }
    ++length;
  }
  return at + length < text.size() && is_digit(text[at + length]) ? length : 0;
}

// How the cards that are printed in groups have them; one group is as long as it is.
bool is_printed(const std::array<std::size_t, kGroupsMax>& sizes, std::size_t count) {
  constexpr std::array shapes = std::to_array<std::array<std::size_t, kGroupsMax>>(
      {{4, 4, 4, 4}, {4, 6, 5}, {4, 6, 4}, {4, 4, 4, 4, 3}, {4, 4, 4, 1}, {8, 8}});
  return count == 1 || std::find(shapes.begin(), shapes.end(), sizes) != shapes.end();
}

// A sign that joins more digits, letters or a name to it makes it a part of something longer.
bool stands_alone(std::string_view text, std::size_t begin, std::size_t end, bool with_signs) {
  const bool joins_before = begin > 1 && (text[begin - 1] == '-' || text[begin - 1] == '.' ||
                                          (with_signs && text[begin - 1] == '/'));
  if (begin > 0 && (is_word(text[begin - 1]) || text[begin - 1] == '_')) {
    return false;
  }
  if (joins_before && is_word(text[begin - 2])) {
    return false;
  }
  if (end == text.size()) {
    return true;
  }
  const bool joins_after =
      text[end] == '-' || text[end] == '.' || text[end] == ',' || (with_signs && text[end] == '/');
  return !is_word(text[end]) && text[end] != '_' &&
         !(joins_after && end + 1 < text.size() && is_digit(text[end + 1]));
}

// Where the card that begins here ends; 0: none does. The longest one.
std::size_t card_end(std::string_view text, std::size_t begin) {
  std::array<std::size_t, kGroupsMax> sizes{};
  std::string digits;
  char mark = '\0';  // between its groups it is the same all through
  std::size_t card = 0;
  std::size_t at = begin;
  for (std::size_t count = 0; count < kGroupsMax && digits.size() < kDigitsMax; ++count) {
    if (count > 0) {
      const std::size_t gap = gap_length(text, at);
      const char here = gap == 0 ? '\0' : is_blank(text[at]) ? ' ' : text[at];
      if (gap == 0 || (mark != '\0' && here != mark)) {
        break;
      }
      mark = here;
      at += gap;
    }
    const std::size_t end = digits_end(text, at);
    sizes[count] = end - at;
    digits.append(text.substr(at, std::min(end - at, kDigitsMax + 1)));
    at = end;
    if (digits.size() >= kDigitsMin && digits.size() <= kDigitsMax &&
        is_printed(sizes, count + 1) && is_issued(digits) && fits_luhn(digits) &&
        stands_alone(text, begin, end, mark != '\0' && mark != ' ')) {
      card = end;
    }
  }
  return card;
}

}  // namespace

bool fits_luhn(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) {
      digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    }
    sum += digit;
  }
  return sum % 10 == 0;
}

bool is_issued(std::string_view card) {
  const std::size_t size = card.size();
  switch (card[0]) {
    case '1': return size == 15 && card.starts_with("1800");
    case '2':
      return (size == 15 && card.starts_with("2131")) ||
             (size == 16 && card.substr(0, 4) >= "2221" && card.substr(0, 4) <= "2720");
    case '3':
      return (size == 15 && (card[1] == '4' || card[1] == '7')) ||
             (size == 14 && (card[1] == '0' || card[1] == '6' || card[1] >= '8')) ||
             (size >= 16 && card.substr(0, 4) >= "3528" && card.substr(0, 4) <= "3589");
    case '4': return size == 13 || size == 16 || size == 19;
    case '5': return (card[1] >= '1' && card[1] <= '5') ? size == 16 : true;
    case '6': return true;
    default: return false;
  }
}

void find_cards(std::string_view text, std::vector<Finding>& found) {
  for (std::size_t at = 0; at < text.size();) {
    if (!is_digit(text[at])) {
      ++at;
      continue;
    }
    const std::size_t end = card_end(text, at);
    if (end != 0) {
      found.push_back({"card", at, end});
    }
    at = std::max(end, digits_end(text, at));
  }
}

}  // namespace aios::govern::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/word_list: sorted words, written as one text and cut apart by the compiler.

#include <algorithm>
#include <array>
#include <string_view>

namespace aios::govern::detail {

constexpr std::size_t count_of(std::string_view text, char between) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), between)) + 1;
}

/// The words of a text; they must stand in the order of their bytes, else it does not compile.
template <std::size_t N>
consteval std::array<std::string_view, N> words_of(std::string_view text, char between) {
  std::array<std::string_view, N> words;
  for (std::string_view& word : words) {
    word = text.substr(0, text.find(between));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  if (!std::is_sorted(words.begin(), words.end())) {
    throw "the words are not sorted";
  }
  return words;
}

template <std::size_t N>
bool has(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::binary_search(words.begin(), words.end(), word);
}

}  // namespace aios::govern::detail

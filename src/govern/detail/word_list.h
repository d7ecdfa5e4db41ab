// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/word_list: sorted words, written as one text and cut apart by the compiler.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace aios::govern::detail {

/// A literal as an argument of a template.
template <std::size_t N>
struct WordText {
  consteval WordText(const char (&text)[N]) { std::copy_n(text, N, bytes); }
  constexpr std::string_view view() const { return {bytes, N - 1}; }
  char bytes[N];
};

template <WordText text, char between>
consteval auto words_of() {
  constexpr auto all = text.view();
  std::array<std::string_view, std::count(all.begin(), all.end(), between) + 1> words;
  std::string_view rest = text.view();
  for (std::string_view& word : words) {
    word = rest.substr(0, rest.find(between));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  if (!std::is_sorted(words.begin(), words.end())) {
    throw "the words are not sorted";
  }
  return words;
}

/// The words of a text; they must stand in the order of their bytes, else it does not compile.
template <WordText text, char between = ' '>
inline constexpr auto words = words_of<text, between>();

template <std::size_t N>
bool has(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::binary_search(words.begin(), words.end(), word);
}

}  // namespace aios::govern::detail

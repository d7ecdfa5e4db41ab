// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/text_grams: a text as hashed word 1-2-grams and, within words, 2-5-grams of
// characters. Part of the model format: another hash or another split makes old models worthless.
// Words are runs of letters, marks and digits; they are compared after NFKC and case folding.
// Threading: a Grams belongs to one thread; keep it, its buffers are reused.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aios::models::detail {

inline constexpr std::size_t text_bytes_max = 8192;  ///< what comes after is not looked at
inline constexpr std::size_t word_bytes_max = 64;    ///< longer runs are cut into several words

/// Where a word stands in the text, in bytes.
struct Word {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// One occurrence of an n-gram.
struct Gram {
  std::uint32_t hash = 0;  ///< never 0
  std::uint16_t word = 0;  ///< the first word it covers
  std::uint8_t words = 1;  ///< how many words it covers
};

class Grams {
 public:
  /// Replaces what was there before.
  void read(std::string_view text);
  const std::vector<Word>& words() const { return words_; }
  const std::vector<Gram>& word_grams() const { return word_grams_; }
  const std::vector<Gram>& piece_grams() const { return piece_grams_; }

 private:
  void add_run(std::string_view text, std::size_t begin, std::size_t end, bool ascii);
  void add_word(std::string_view text, std::size_t begin, std::size_t end, bool ascii);
  void add_pieces(std::uint16_t word);
  std::size_t normalize(std::string_view word);

  std::vector<Word> words_;
  std::vector<Gram> word_grams_;
  std::vector<Gram> piece_grams_;
  std::uint32_t previous_ = 0;         ///< hash of the word before
  std::vector<char> padded_;           ///< the normalised word between two spaces
  std::vector<std::uint16_t> points_;  ///< where its code points begin, and its end
  std::vector<std::int32_t> decomposed_;
};

}  // namespace aios::models::detail

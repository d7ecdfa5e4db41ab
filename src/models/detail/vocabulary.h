// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/vocabulary: which n-grams a linear model knows, with their rarity, and a text as a
// vector over them: sublinear term frequency times inverse document frequency, each of the two
// blocks (words, pieces of words) of length 1 when everything in it is known. N-grams that the
// model does not know count in the length, so strange texts give short vectors and low confidence.

#include "models/detail/text_grams.h"

#include <cstdint>
#include <vector>

namespace aios::models::detail {

inline constexpr std::uint32_t no_feature = UINT32_MAX;

/// Immutable once filled; thread-safe.
class Vocabulary {
 public:
  Vocabulary() = default;
  /// @param hashes  by feature; distinct and not 0. @param idf  of the same size.
  Vocabulary(std::vector<std::uint32_t> hashes, std::vector<float> idf, float unknown_word_idf,
             float unknown_piece_idf);
  std::uint32_t find(std::uint32_t hash) const {
    for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Entry& entry = table_[at];
      if (entry.hash == hash) {
        return entry.feature;
      }
      if (entry.hash == 0) {
        return no_feature;
      }
    }
  }
  void prefetch(std::uint32_t hash) const { __builtin_prefetch(&table_[hash & mask_]); }
  std::size_t size() const { return hashes_.size(); }
  const std::vector<std::uint32_t>& hashes() const { return hashes_; }
  const std::vector<float>& idf() const { return idf_; }
  float unknown_word_idf() const { return unknown_word_idf_; }
  float unknown_piece_idf() const { return unknown_piece_idf_; }

 private:
  struct Entry {
    std::uint32_t hash = 0;  ///< 0: free
    std::uint32_t feature = 0;
  };
  std::vector<std::uint32_t> hashes_;
  std::vector<float> idf_;
  float unknown_word_idf_ = 0;
  float unknown_piece_idf_ = 0;
  std::vector<Entry> table_{1};  // at most half full
  std::size_t mask_ = 0;
};

/// A text over a vocabulary. Belongs to one thread; its buffers are reused.
class TextVector {
 public:
  struct Slot {
    std::uint32_t feature = 0;
    std::uint32_t count = 0;
    float value = 0;
  };
  struct Occurrence {
    std::uint32_t slot = 0;
    std::uint16_t word = 0;   ///< the first word it covers
    std::uint8_t words = 1;   ///< how many words it covers
    bool whole_word = false;  ///< the n-gram is that one word
  };
  void read(std::string_view text, const Vocabulary& vocabulary);
  const std::vector<Slot>& slots() const { return slots_; }
  const std::vector<Occurrence>& occurrences() const { return occurrences_; }
  const std::vector<Word>& words() const { return grams_.words(); }
  /// Share of the words that the vocabulary knows, weighted by rarity; 0 without words.
  float known_share() const { return words_ > 0 ? words_known_ / words_ : 0.0F; }

 private:
  enum class Block : std::uint8_t { words, pieces };
  void add_block(Block block, const Vocabulary& vocabulary);
  void clear_index(std::size_t grams);

  Grams grams_;
  std::vector<Slot> slots_;
  std::vector<Occurrence> occurrences_;
  std::vector<std::uint32_t> index_;  ///< feature -> slot + 1, open addressing
  std::size_t index_mask_ = 0;
  float words_ = 0;  ///< rarity of all words, added up
  float words_known_ = 0;
};

}  // namespace aios::models::detail

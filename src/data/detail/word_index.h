// SPDX-License-Identifier: Apache-2.0
#pragma once
// data/detail/word_index: BM25 (k1 1.2, b 0.75) over the words of passages. Immutable once filled.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace aios::data::detail {

struct WordMatch {
  float bm25 = 0;
  float covered = 0;  ///< share of the question's words that the passage has, by rarity: 0 to 1
};

class WordIndex {
 public:
  /// The next passage.
  void add(const std::vector<std::string>& words);
  std::size_t size() const { return lengths_.size(); }
  /// One entry a passage. A word counts once, however often the question has it.
  std::vector<WordMatch> search(std::vector<std::string> words) const;

 private:
  struct Posting {
    std::uint32_t passage = 0;
    std::uint32_t count = 0;
  };
  std::unordered_map<std::string, std::vector<Posting>> postings_;
  std::vector<std::uint32_t> lengths_;
  double words_ = 0;  ///< of all passages
};

}  // namespace aios::data::detail

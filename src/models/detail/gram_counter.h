// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/gram_counter: in how many texts each n-gram stands, and the vocabulary of the most
// frequent ones. The same texts in the same order give the same vocabulary.

#include "models/detail/text_grams.h"
#include "models/detail/vocabulary.h"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace aios::models::detail {

class GramCounter {
 public:
  /// @param row  the text's number; all grams of one text come before the next one's.
  void add(const Grams& grams, std::uint32_t row);
  /// At most `limit` n-grams: the most frequent. @param rows  how many texts there were.
  Vocabulary vocabulary(std::size_t limit, std::size_t rows);

 private:
  struct Count {
    std::uint32_t hash = 0;
    std::uint32_t rows = 0;
    std::uint32_t row = 0;  ///< the last one counted
  };
  void add(const std::vector<Gram>& grams, std::uint32_t row);

  std::unordered_map<std::uint32_t, std::size_t> places_;
  std::vector<Count> counts_;
};

}  // namespace aios::models::detail

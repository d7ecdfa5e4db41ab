// SPDX-License-Identifier: Apache-2.0
#include "models/detail/gram_counter.h"

#include <algorithm>
#include <cmath>

namespace aios::models::detail {

void GramCounter::add(const Grams& grams, std::uint32_t row) {
  add(grams.word_grams(), row);
  add(grams.piece_grams(), row);
}

void GramCounter::add(const std::vector<Gram>& grams, std::uint32_t row) {
  for (const Gram& gram : grams) {
    auto [at, fresh] = places_.try_emplace(gram.hash, counts_.size());
    if (fresh) {
      counts_.push_back({gram.hash, 0, UINT32_MAX});
    }
    Count& count = counts_[at->second];
    if (count.row != row) {
      count.row = row;
      ++count.rows;
    }
  }
}

Vocabulary GramCounter::vocabulary(std::size_t limit, std::size_t rows) {
  if (counts_.size() > limit) {
    std::sort(counts_.begin(), counts_.end(), [](const Count& a, const Count& b) {
      return a.rows != b.rows ? a.rows > b.rows : a.hash < b.hash;
    });
    counts_.resize(limit);
  }
  const double all = static_cast<double>(rows) + 1;
  std::vector<std::uint32_t> hashes;
  std::vector<float> idf;
  for (const Count& count : counts_) {
    hashes.push_back(count.hash);
    idf.push_back(static_cast<float>(std::log(all / (count.rows + 1.0)) + 1));
  }
  const auto unknown = static_cast<float>(std::log(all) + 1);
  return Vocabulary(std::move(hashes), std::move(idf), unknown, unknown);
}

}  // namespace aios::models::detail

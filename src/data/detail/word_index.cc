// SPDX-License-Identifier: Apache-2.0
#include "data/detail/word_index.h"

#include <algorithm>
#include <cmath>

namespace aios::data::detail {
namespace {

constexpr double k1 = 1.2;
constexpr double b = 0.75;

double rarity(std::size_t passages, std::size_t with_word) {
  const auto all = static_cast<double>(passages);
  const auto with = static_cast<double>(with_word);
  return std::log(1 + (all - with + 0.5) / (with + 0.5));
}

}  // namespace

void WordIndex::add(const std::vector<std::string>& words) {
  const auto passage = static_cast<std::uint32_t>(lengths_.size());
  for (const std::string& word : words) {
    auto& list = postings_[word];
    if (list.empty() || list.back().passage != passage) {
      list.push_back({passage, 0});
    }
    ++list.back().count;
  }
  lengths_.push_back(static_cast<std::uint32_t>(words.size()));
  words_ += static_cast<double>(words.size());
}

std::vector<WordMatch> WordIndex::search(std::vector<std::string> words) const {
  std::vector<WordMatch> out(size());
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  const double average = std::max(words_ / std::max<double>(1, static_cast<double>(size())), 1.0);
  double all = 0;
  for (const std::string& word : words) {
    const auto found = postings_.find(word);
    const double weight = rarity(size(), found == postings_.end() ? 0 : found->second.size());
    all += weight;
    if (found == postings_.end()) {
      continue;
    }
    for (const Posting& posting : found->second) {
      const double count = posting.count;
      const double length = lengths_[posting.passage] / average;
      out[posting.passage].bm25 +=
          static_cast<float>(weight * count * (k1 + 1) / (count + k1 * (1 - b + b * length)));
      out[posting.passage].covered += static_cast<float>(weight);
    }
  }
  for (WordMatch& match : out) {
    match.covered = all > 0 ? static_cast<float>(match.covered / all) : 0.0F;
  }
  return out;
}

}  // namespace aios::data::detail

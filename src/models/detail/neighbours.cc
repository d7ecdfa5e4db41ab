// SPDX-License-Identifier: Apache-2.0
#include "models/detail/neighbours.h"

#include "models/detail/gram_counter.h"
#include "models/learning.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace aios::models::detail {
namespace {

constexpr std::size_t features_max = std::size_t{1} << 18;

/// Scales a text's vector to length 1, so that a product is a cosine.
float length_of(const std::vector<TextVector::Slot>& slots) {
  float squares = 0;
  for (const TextVector::Slot& slot : slots) {
    squares += slot.value * slot.value;
  }
  return squares > 0 ? std::sqrt(squares) : 1.0F;
}

}  // namespace

Neighbours::Neighbours(std::vector<const Example*> texts) : texts_(std::move(texts)) {
  GramCounter counter;
  Grams grams;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    grams.read(texts_[i]->text);
    counter.add(grams, static_cast<std::uint32_t>(i));
    keys_.push_back(same_text_key(texts_[i]->text));
  }
  vocabulary_ = counter.vocabulary(features_max, texts_.size());
  by_feature_.resize(vocabulary_.size());
  TextVector vector;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    vector.read(texts_[i]->text, vocabulary_);
    const float length = length_of(vector.slots());
    for (const TextVector::Slot& slot : vector.slots()) {
      by_feature_[slot.feature].push_back({static_cast<std::uint32_t>(i), slot.value / length});
    }
  }
}

std::map<std::string, double> Neighbours::votes(std::string_view text, std::string_view key,
                                                std::size_t count) const {
  TextVector vector;
  vector.read(text, vocabulary_);
  const float length = length_of(vector.slots());
  std::vector<float> near(texts_.size());
  for (const TextVector::Slot& slot : vector.slots()) {
    for (const Cell& cell : by_feature_[slot.feature]) {
      near[cell.text] += slot.value / length * cell.value;
    }
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < near.size(); ++i) {
    if (near[i] > 0 && keys_[i] != key) {
      order.push_back(i);
    }
  }
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(count, order.size()));
  std::partial_sort(order.begin(), end, order.end(), [&near](std::size_t a, std::size_t b) {
    return near[a] != near[b] ? near[a] > near[b] : a < b;
  });
  std::map<std::string, double> votes;
  for (auto at = order.begin(); at != end; ++at) {
    votes[texts_[*at]->label] += near[*at];
  }
  return votes;
}

}  // namespace aios::models::detail

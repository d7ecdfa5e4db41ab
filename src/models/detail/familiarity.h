// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/familiarity: how strange a text is to a linear model. The score of a text is the
// best label's margin (before the temperature) plus the share of its words that the model knows,
// weighted by rarity: an intent that was never learnt lies outside every label's margin and brings
// words of its own, and each of the two sees what the other one misses. The scores of training
// texts, given by models that had not seen them, make the scale.

#include <cstddef>
#include <vector>

namespace aios::models::detail {

inline constexpr std::size_t familiarity_steps = 201;

class Familiarity {
 public:
  Familiarity() = default;
  /// @param quantiles  ascending; empty or familiarity_steps of them.
  explicit Familiarity(std::vector<float> quantiles) : quantiles_(std::move(quantiles)) {}
  /// Of scores that models gave to texts they had not seen; none: no scale.
  static Familiarity fit(std::vector<float> scores);
  static float score(float margin, float known_share) { return margin + known_share; }

  /// A model of an older format has none.
  bool empty() const { return quantiles_.empty(); }
  /// Share of the training texts whose score is higher: 0 like the most familiar, 1 stranger than
  /// all of them.
  double novelty(float score) const;
  const std::vector<float>& quantiles() const { return quantiles_; }

 private:
  std::vector<float> quantiles_;
};

}  // namespace aios::models::detail

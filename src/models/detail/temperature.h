// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/temperature: the one number that turns scores into honest probabilities.

#include <cstddef>
#include <vector>

namespace aios::models::detail {

/// Scores of one example the model was not trained on, and which label is right.
struct HeldOut {
  std::vector<float> scores;
  std::size_t label = 0;
  float known_share = 0;  ///< of its words, by that model
};

/// The temperature with the least mean negative log-likelihood (golden-section search on its
/// logarithm between 0.02 and 20); 1 when there is nothing to fit on.
float fit_temperature(const std::vector<HeldOut>& examples);

}  // namespace aios::models::detail

// SPDX-License-Identifier: Apache-2.0
#include "models/detail/familiarity.h"

#include <algorithm>

namespace aios::models::detail {

Familiarity Familiarity::fit(std::vector<float> scores) {
  if (scores.empty()) {
    return {};
  }
  std::sort(scores.begin(), scores.end());
  std::vector<float> quantiles(familiarity_steps);
  const auto last = static_cast<double>(scores.size() - 1);
  for (std::size_t step = 0; step < familiarity_steps; ++step) {
    const double place = last * static_cast<double>(step) / (familiarity_steps - 1);
    const auto low = static_cast<std::size_t>(place);
    const std::size_t high = std::min(low + 1, scores.size() - 1);
    const double share = place - static_cast<double>(low);
    quantiles[step] = static_cast<float>(scores[low] * (1 - share) + scores[high] * share);
  }
  return Familiarity(std::move(quantiles));
}

double Familiarity::novelty(float score) const {
  if (quantiles_.empty() || score < quantiles_.front()) {
    return 1.0;
  }
  if (score >= quantiles_.back()) {
    return 0.0;
  }
  const auto above = std::upper_bound(quantiles_.begin(), quantiles_.end(), score);
  const float low = *(above - 1);
  const double within = *above > low ? (score - low) / (*above - low) : 0.0;
  const double place = static_cast<double>(above - 1 - quantiles_.begin()) + within;
  return 1.0 - place / static_cast<double>(familiarity_steps - 1);
}

}  // namespace aios::models::detail

// SPDX-License-Identifier: Apache-2.0
#include "models/detail/temperature.h"

#include <algorithm>
#include <cmath>

namespace aios::models::detail {
namespace {

double mean_loss(const std::vector<HeldOut>& examples, double temperature) {
  double loss = 0;
  for (const HeldOut& example : examples) {
    const double best = *std::max_element(example.scores.begin(), example.scores.end());
    double sum = 0;
    for (const float score : example.scores) {
      sum += std::exp((score - best) / temperature);
    }
    loss += std::log(sum) - (example.scores[example.label] - best) / temperature;
  }
  return loss / static_cast<double>(examples.size());
}

}  // namespace

float fit_temperature(const std::vector<HeldOut>& examples) {
  if (examples.empty()) {
    return 1.0F;
  }
  constexpr double golden = 0.6180339887498949;
  constexpr int rounds = 40;
  double low = std::log(0.02);
  double high = std::log(20.0);
  double left = high - golden * (high - low);
  double right = low + golden * (high - low);
  double loss_left = mean_loss(examples, std::exp(left));
  double loss_right = mean_loss(examples, std::exp(right));
  for (int round = 0; round < rounds; ++round) {
    if (loss_left <= loss_right) {
      high = right;
      right = left;
      loss_right = loss_left;
      left = high - golden * (high - low);
      loss_left = mean_loss(examples, std::exp(left));
    } else {
      low = left;
      left = right;
      loss_left = loss_right;
      right = low + golden * (high - low);
      loss_right = mean_loss(examples, std::exp(right));
    }
  }
  return static_cast<float>(std::exp((low + high) / 2));
}

}  // namespace aios::models::detail

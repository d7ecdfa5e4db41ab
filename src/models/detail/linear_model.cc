// SPDX-License-Identifier: Apache-2.0
#include "models/detail/linear_model.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace aios::models::detail {
namespace {

constexpr std::size_t top_max = 3;
constexpr std::size_t reasons_max = 5;
constexpr std::size_t prefetch_rows = 6;
constexpr std::size_t line_floats = 16;

/// What one thread keeps between predictions.
struct Scratch {
  TextVector vector;
  std::vector<float> scores;
  std::vector<float> word_weights;
  std::vector<std::uint32_t> slot_words;  ///< slot -> the first word it stands for, + 1
};

void prefetch_row(const float* row, std::size_t stride) {
  for (std::size_t at = 0; at < stride; at += line_floats) {
    __builtin_prefetch(row + at);
  }
}

/// Scores to probabilities, in place.
void soften(std::vector<float>& scores, std::size_t labels, float temperature) {
  const float best = *std::max_element(scores.begin(), scores.begin() + static_cast<long>(labels));
  float sum = 0;
  for (std::size_t label = 0; label < labels; ++label) {
    scores[label] = std::exp((scores[label] - best) / temperature);
    sum += scores[label];
  }
  for (std::size_t label = 0; label < labels; ++label) {
    scores[label] /= sum;
  }
}

/// Indices of the largest values, best first; of equal ones the first.
template <std::size_t N>
std::size_t largest(const std::vector<float>& values, std::size_t count,
                    std::array<std::size_t, N>& best) {
  std::size_t found = 0;
  for (std::size_t at = 0; at < count; ++at) {
    std::size_t place = found;
    while (place > 0 && values[at] > values[best[place - 1]]) {
      --place;
    }
    if (place >= N) {
      continue;
    }
    found = std::min(found + 1, N);
    for (std::size_t i = found - 1; i > place; --i) {
      best[i] = best[i - 1];
    }
    best[place] = at;
  }
  return found;
}

/// Adds up, word by word, what every n-gram that covers the word gave to one label. A word that
/// stands in the text twice is one entry, at its first place.
void weigh_words(Scratch& scratch, const std::vector<float>& weights, std::size_t stride,
                 std::size_t label) {
  const auto& vector = scratch.vector;
  scratch.word_weights.assign(vector.words().size(), 0.0F);
  scratch.slot_words.assign(vector.slots().size(), 0);
  for (const TextVector::Occurrence& seen : vector.occurrences()) {
    const TextVector::Slot& slot = vector.slots()[seen.slot];
    const float whole = slot.value * weights[slot.feature * stride + label];
    std::uint32_t& first = scratch.slot_words[seen.slot];
    if (first == 0) {
      first = seen.word + std::uint32_t{1};
    }
    const float share = whole / static_cast<float>(slot.count * seen.words);
    for (std::size_t i = 0; i < seen.words; ++i) {
      scratch.word_weights[seen.word + i] += share;
    }
  }
  for (const TextVector::Occurrence& seen : vector.occurrences()) {
    if (!seen.whole_word) {
      continue;
    }
    const std::size_t first = scratch.slot_words[seen.slot] - 1;
    if (first != seen.word) {
      scratch.word_weights[first] += scratch.word_weights[seen.word];
      scratch.word_weights[seen.word] = 0;
    }
  }
}

/// While the scores are still margins.
double novelty_of(const LinearParts& parts, const Scratch& scratch) {
  const auto end = scratch.scores.begin() + static_cast<long>(parts.labels.size());
  const float margin = *std::max_element(scratch.scores.begin(), end);
  return parts.familiarity.novelty(Familiarity::score(margin, scratch.vector.known_share()));
}

}  // namespace

bool LinearModel::score(const TextVector& vector, std::vector<float>& scores) const {
  const std::size_t stride = parts_.stride();
  const auto& slots = vector.slots();
  const float* rows = parts_.weights.data();
  const float* bias = rows + parts_.vocabulary.size() * stride;
  scores.assign(bias, bias + stride);
  for (std::size_t i = 0; i < slots.size() && i < prefetch_rows; ++i) {
    prefetch_row(rows + slots[i].feature * stride, stride);
  }
  float* __restrict__ sums = scores.data();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (i + prefetch_rows < slots.size()) {
      prefetch_row(rows + slots[i + prefetch_rows].feature * stride, stride);
    }
    const float value = slots[i].value;
    const float* __restrict__ row = rows + slots[i].feature * stride;
    for (std::size_t label = 0; label < stride; label += 4) {
      sums[label] += value * row[label];
      sums[label + 1] += value * row[label + 1];
      sums[label + 2] += value * row[label + 2];
      sums[label + 3] += value * row[label + 3];
    }
  }
  return !slots.empty();
}

Prediction LinearModel::predict(std::string_view text) const {
  thread_local Scratch scratch;  // tidy: buffers of one thread, kept between its predictions
  const std::size_t labels = parts_.labels.size();
  scratch.vector.read(text, parts_.vocabulary);
  const bool known = score(scratch.vector, scratch.scores);
  Prediction prediction;
  if (!parts_.familiarity.empty()) {
    prediction.novelty = known ? novelty_of(parts_, scratch) : 1.0;
  }
  if (known) {
    soften(scratch.scores, labels, parts_.temperature);
  } else {
    scratch.scores.assign(parts_.priors.begin(), parts_.priors.end());
  }
  std::array<std::size_t, top_max> best{};
  const std::size_t found = largest(scratch.scores, labels, best);
  prediction.top.reserve(found);
  for (std::size_t i = 0; i < found; ++i) {
    prediction.top.push_back({parts_.labels[best[i]], scratch.scores[best[i]]});
  }
  prediction.best = prediction.top.front();
  weigh_words(scratch, parts_.weights, parts_.stride(), best[0]);
  std::array<std::size_t, reasons_max> words{};
  const std::size_t count = largest(scratch.word_weights, scratch.word_weights.size(), words);
  prediction.reasons.reserve(count);
  for (std::size_t i = 0; i < count && scratch.word_weights[words[i]] > 0; ++i) {
    const Word& word = scratch.vector.words()[words[i]];
    prediction.reasons.push_back({std::string(text.substr(word.begin, word.end - word.begin)),
                                  scratch.word_weights[words[i]]});
  }
  return prediction;
}

}  // namespace aios::models::detail

// SPDX-License-Identifier: Apache-2.0
#include "models/detail/embedding_trainer.h"

#include "models/detail/embedding_model.h"
#include "models/detail/gram_counter.h"
#include "models/detail/rows.h"
#include "models/detail/shuffle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace aios::models::detail {
namespace {

constexpr std::size_t texts_max = 1'000'000;
constexpr std::size_t text_bytes_min = 64;  ///< a shorter text counts for so much
constexpr int iterations = 5;
/// Share of the mean spread that is added to every direction before whitening: without it, a
/// direction in which a few texts of one label happen to agree would decide alone.
constexpr double shrinkage = 0.01;
/// This share of the texts has a vector of full length.
constexpr double full_length_share = 0.1;

Error unfit(Code code, std::string message) { return Error(code, std::move(message)).page(710); }

struct Progress {
  const TrainOptions* options = nullptr;
  bool next(int step) const {
    if (options->progress) {
      options->progress(static_cast<double>(step) / (iterations + 2));
    }
    return !(options->cancel && options->cancel->cancelled());
  }
};

/// The texts to learn from, in their own order: one of each label in turn, until there are enough
/// bytes.
std::vector<std::size_t> choose(const std::vector<EmbeddingText>& texts, std::uint64_t seed) {
  std::map<std::string_view, std::vector<std::size_t>> by_label;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    by_label[texts[i].label].push_back(i);
  }
  Shuffle shuffle(seed);
  for (auto& [label, places] : by_label) {
    shuffle(places);
  }
  std::vector<std::size_t> chosen;
  std::size_t bytes = 0;
  for (std::size_t turn = 0; !by_label.empty() && bytes < embedding_bytes_max; ++turn) {
    for (auto at = by_label.begin(); at != by_label.end();) {
      if (turn >= at->second.size()) {
        at = by_label.erase(at);
        continue;
      }
      const std::size_t size = std::min(texts[at->second[turn]].text.size(), text_bytes_max);
      bytes += std::max(size, text_bytes_min);
      if (bytes > embedding_bytes_max && !chosen.empty()) {
        break;
      }
      chosen.push_back(at->second[turn]);
      ++at;
    }
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

struct Learning {
  Vocabulary vocabulary;
  SparseRows rows{0};
  std::vector<std::string_view> labels;  ///< by row
};

Learning read_texts(const std::vector<EmbeddingText>& texts,
                    const std::vector<std::size_t>& chosen) {
  Learning out;
  GramCounter counter;
  Grams grams;
  for (const std::size_t at : chosen) {
    grams.read(texts[at].text);
    counter.add(grams, static_cast<std::uint32_t>(at));
  }
  out.vocabulary = counter.vocabulary(embedding_features_max, chosen.size());
  out.rows = SparseRows(out.vocabulary.size());
  TextVector vector;
  for (const std::size_t at : chosen) {
    vector.read(texts[at].text, out.vocabulary);
    out.rows.add(vector.slots());
    out.labels.push_back(texts[at].label);
  }
  return out;
}

/// Columns of 1 and -1 from a seed, the same on every machine.
Rows random_signs(std::size_t count, std::size_t width, std::uint64_t seed) {
  std::vector<std::size_t> order(count * width);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Shuffle shuffle(seed);
  shuffle(order);
  Rows out(count, width);
  for (std::size_t i = 0; i < order.size(); ++i) {
    out.values[order[i]] = i % 2 == 0 ? 1.0F : -1.0F;
  }
  return out;
}

void whiten_all(const Scatter& factor, Rows& rows) {
  for (std::size_t i = 0; i < rows.count(); ++i) {
    factor.whiten(rows.row(i));
  }
}

/// An orthonormal basis [feature][dimension] of the space in which the rows differ most; no values
/// when cancelled.
Rows basis_of(const SparseRows& rows, const TrainOptions& options) {
  const std::size_t width = std::min(
      {embedding_dimensions_max, rows.features(), std::max<std::size_t>(rows.count() - 1, 1)});
  const Progress progress{&options};
  Rows seen = random_signs(rows.count(), width, options.seed);
  for (int i = 0; i < iterations; ++i) {
    orthonormalize(seen);
    seen = rows.times(rows.transposed_times(seen));
    if (!progress.next(i + 1)) {
      return Rows(0, 0);
    }
  }
  orthonormalize(seen);
  Rows basis = rows.transposed_times(seen);
  orthonormalize(basis);
  return basis;
}

/// Scatter of the texts around the mean of their label; false where no label has two texts.
bool scatter_within(const Learning& data, const Rows& points, Scatter* scatter) {
  std::map<std::string_view, std::vector<std::size_t>> by_label;
  for (std::size_t row = 0; row < data.labels.size(); ++row) {
    if (!data.labels[row].empty()) {
      by_label[data.labels[row]].push_back(row);
    }
  }
  std::size_t count = 0;
  std::vector<float> mean(points.width);
  std::vector<float> apart(points.width);
  for (const auto& [label, rows] : by_label) {
    if (rows.size() < 2) {
      continue;
    }
    std::fill(mean.begin(), mean.end(), 0.0F);
    for (const std::size_t row : rows) {
      for (std::size_t i = 0; i < points.width; ++i) {
        mean[i] += points.row(row)[i] / static_cast<float>(rows.size());
      }
    }
    for (const std::size_t row : rows) {
      for (std::size_t i = 0; i < points.width; ++i) {
        apart[i] = points.row(row)[i] - mean[i];
      }
      scatter->add(apart.data());
      ++count;
    }
  }
  if (count > 0) {
    scatter->scale(1.0 / static_cast<double>(count));
  }
  return count > 0 && scatter->trace() > 0;
}

/// The length that only full_length_share of the texts reach.
float full_length(const Rows& points) {
  std::vector<float> lengths;
  for (std::size_t row = 0; row < points.count(); ++row) {
    float squares = 0;
    for (std::size_t i = 0; i < points.width; ++i) {
      squares += points.row(row)[i] * points.row(row)[i];
    }
    lengths.push_back(std::sqrt(squares));
  }
  std::sort(lengths.begin(), lengths.end());
  const auto at = static_cast<double>(lengths.size() - 1) * (1 - full_length_share);
  return lengths[static_cast<std::size_t>(at)];
}

void quantize(const Rows& projection, float length, EmbeddingParts* parts) {
  parts->dimensions = projection.width;
  for (std::size_t feature = 0; feature < projection.count(); ++feature) {
    const float* row = projection.row(feature);
    float most = 0;
    for (std::size_t i = 0; i < projection.width; ++i) {
      most = std::max(most, std::abs(row[i]));
    }
    const float step = most / 127;
    parts->scales.push_back(step / length);
    for (std::size_t i = 0; i < projection.width; ++i) {
      parts->points.push_back(step > 0 ? static_cast<std::int8_t>(std::lround(row[i] / step))
                                       : std::int8_t{0});
    }
  }
}

}  // namespace

Result<std::unique_ptr<Embedding>> train_embedding(const std::vector<EmbeddingText>& texts,
                                                   const TrainOptions& options) {
  if (texts.size() > texts_max) {
    return unfit(Code::resource_exhausted,
                 fmt::format("found {} texts, wanted at most {}", texts.size(), texts_max));
  }
  Learning data = read_texts(texts, choose(texts, options.seed));
  if (data.rows.count() < 2 || data.vocabulary.size() == 0) {
    return unfit(Code::invalid_argument,
                 fmt::format("found {} texts and {} n-grams in them, wanted at least 2 texts with "
                             "words",
                             data.rows.count(), data.vocabulary.size()));
  }
  Rows projection = basis_of(data.rows, options);
  if (projection.width == 0) {
    return Error(Code::cancelled, "the training was cancelled").page(702);
  }
  Rows points = data.rows.times(projection);
  Scatter within(projection.width);
  if (scatter_within(data, points, &within)) {
    within.add_to_diagonal(shrinkage * within.trace() / static_cast<double>(projection.width));
    within.factorize();
    whiten_all(within, projection);
    whiten_all(within, points);
  }
  const float length = full_length(points);
  if (length <= 0) {
    return unfit(Code::invalid_argument, "found only texts that are all the same");
  }
  EmbeddingParts parts;
  quantize(projection, length, &parts);
  parts.vocabulary = std::move(data.vocabulary);
  return std::unique_ptr<Embedding>(std::make_unique<EmbeddingModel>(std::move(parts)));
}

}  // namespace aios::models::detail

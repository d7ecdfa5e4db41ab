// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/embedding_model: one row of numbers for every n-gram of the vocabulary; a text's
// vector is the sum of its n-grams' rows, weighted as in Vocabulary. Rows are kept in 8 bits a
// number with one scale a row: 3 MB where 32 bits would take 12, and the same ranking.

#include "core/result.h"
#include "models/detail/vocabulary.h"
#include "models/embedding.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::models::detail {

inline constexpr std::size_t embedding_features_max = 16'384;
inline constexpr std::size_t embedding_dimensions_max = 192;

struct EmbeddingParts {
  Vocabulary vocabulary;
  std::size_t dimensions = 0;
  std::vector<float> scales;        ///< by feature
  std::vector<std::int8_t> points;  ///< [feature][dimension]
};

class EmbeddingModel final : public Embedding {
 public:
  explicit EmbeddingModel(EmbeddingParts parts) : parts_(std::move(parts)) {}
  std::vector<float> embed(std::string_view text) const override;
  std::size_t dimensions() const override { return parts_.dimensions; }
  std::string serialize() const override;
  /// data_loss [AIOS-0711]: damaged, or of a newer format.
  static Result<std::unique_ptr<Embedding>> load(std::string_view bytes);

 private:
  EmbeddingParts parts_;
};

}  // namespace aios::models::detail

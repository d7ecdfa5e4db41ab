// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/embedding_trainer: texts to an EmbeddingModel. First the subspace in which the
// texts differ most (truncated SVD of their n-gram matrix by subspace iteration from a seed), then
// that space is stretched until texts of one label lie as close in every direction (whitening by
// the scatter within labels). Bounded: embedding_bytes_max of text are learnt from, chosen evenly
// from all labels.

#include "core/result.h"
#include "models/embedding.h"
#include "models/models.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace aios::models::detail {

inline constexpr std::size_t embedding_bytes_max = std::size_t{1} << 20;

/// @return invalid_argument [AIOS-0710]: fewer than 2 texts with words in them; resource_exhausted
/// [AIOS-0710]: too many; cancelled [AIOS-0702].
Result<std::unique_ptr<Embedding>> train_embedding(const std::vector<EmbeddingText>& texts,
                                                   const TrainOptions& options);

}  // namespace aios::models::detail

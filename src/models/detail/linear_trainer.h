// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/linear_trainer: examples to a LinearModel. First models trained without a part of
// the examples score that part, which gives the temperature; then the model that is kept is trained
// on all. The same examples and seed give the same bytes.

#include "core/result.h"
#include "models/models.h"

#include <memory>
#include <vector>

namespace aios::models::detail {

/// @return invalid_argument [AIOS-0700] for examples that cannot be learnt from, resource_exhausted
/// [AIOS-0700] for too many, cancelled [AIOS-0702].
Result<std::unique_ptr<Model>> train_linear(const std::vector<Example>& examples,
                                            const TrainOptions& options);

}  // namespace aios::models::detail

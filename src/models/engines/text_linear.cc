// SPDX-License-Identifier: Apache-2.0
#include "models/detail/linear_model.h"
#include "models/detail/linear_trainer.h"
#include "models/models.h"

namespace aios::models {

void register_engine_text_linear(EngineRegistry& registry) {
  registry.add({.name = "text_linear",
                .summary = "Tells the label of a short text by weighted n-grams of its words and "
                           "letters; trains in seconds, explains itself by words.",
                .train = detail::train_linear,
                .load = detail::LinearModel::load});
}

}  // namespace aios::models

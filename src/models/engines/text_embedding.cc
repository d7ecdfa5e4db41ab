// SPDX-License-Identifier: Apache-2.0
#include "models/detail/embedding_model.h"
#include "models/detail/embedding_trainer.h"
#include "models/models.h"

namespace aios::models {

void register_engine_text_embedding(EngineRegistry& registry) {
  EmbeddingEntry entry;
  entry.name = "text_embedding";
  entry.summary =
      "Texts as vectors: n-grams of words and letters through a projection learnt from the texts.";
  entry.train = detail::train_embedding;
  entry.load = detail::EmbeddingModel::load;
  registry.add(std::move(entry));
}

}  // namespace aios::models

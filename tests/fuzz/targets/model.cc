// SPDX-License-Identifier: Apache-2.0
// A model's bytes with changes in them: pairs of a place (three bytes) and what is there (one), or
// bytes that are no model at all. The checksum is made to fit: it is against accidents.
#include "models/detail/checked_bytes.h"
#include "models/detail/embedding_model.h"
#include "models/detail/linear_model.h"
#include "models/models.h"
#include "models/test/examples.h"
#include "tests/fuzz/fuzz.h"

#include <cmath>

namespace aios::fuzz {
namespace {

using models::detail::EmbeddingModel;
using models::detail::LinearModel;

struct Bodies {
  std::string linear, embedding;  ///< without their checksums
};

Bodies make_bodies() {
  models::EngineRegistry engines;
  models::register_all_engines(engines);
  const auto examples = models::test::desk_examples();
  const auto linear = engines.find("text_linear")->train(examples, {});
  AIOS_ASSERT(linear.ok());
  std::vector<models::EmbeddingText> texts;
  for (const auto& example : examples) {
    texts.push_back({example.text, example.label});
  }
  const auto embedding = engines.find_embedding("text_embedding")->train(texts, {});
  AIOS_ASSERT(embedding.ok());
  const std::string linear_bytes = (*linear)->serialize();
  const std::string embedding_bytes = (*embedding)->serialize();
  return {std::string(models::detail::without_checksum(linear_bytes).value()),
          std::string(models::detail::without_checksum(embedding_bytes).value())};
}

const Bodies& bodies() {
  static const Bodies& made = *new Bodies(make_bodies());
  return made;
}

std::string changed(std::string body, std::string_view changes) {
  constexpr std::size_t change_bytes = 4;
  while (changes.size() >= change_bytes) {
    std::size_t place = 0;
    for (std::size_t i = 0; i < change_bytes - 1; ++i) {
      place = place << 8 | static_cast<unsigned char>(changes[i]);
    }
    body[place % body.size()] = changes[change_bytes - 1];
    changes.remove_prefix(change_bytes);
  }
  return body;
}

void check_linear(const std::string& bytes) {
  const auto model = LinearModel::load(bytes);
  if (!model.ok()) {
    AIOS_ASSERT(model.error().page() == 703);
    return;
  }
  for (const char* text : {"", "where is my parcel", "caf\xc3\xa9 \xff", "1234"}) {
    const auto prediction = (*model)->predict(text);
    AIOS_ASSERT(!prediction.best.label.empty() && prediction.top.size() <= 3);
    AIOS_ASSERT(prediction.reasons.size() <= 5);
  }
  const auto again = LinearModel::load((*model)->serialize());
  AIOS_ASSERT(again.ok() && (*again)->serialize() == (*model)->serialize());
}

void check_embedding(const std::string& bytes) {
  const auto model = EmbeddingModel::load(bytes);
  if (!model.ok()) {
    AIOS_ASSERT(model.error().page() == 711);
    return;
  }
  for (const char* text : {"", "where is my parcel", "caf\xc3\xa9 \xff"}) {
    AIOS_ASSERT((*model)->embed(text).size() == (*model)->dimensions());
  }
  AIOS_ASSERT(EmbeddingModel::load((*model)->serialize()).ok());
}

}  // namespace

void model(std::string_view input) {
  using models::detail::with_checksum;
  const auto kind = choose(input, 4);
  const bool whole = kind >= 2;
  const std::string& body = kind % 2 == 0 ? bodies().linear : bodies().embedding;
  const std::string bytes = with_checksum(whole ? std::string(input) : changed(body, input));
  kind % 2 == 0 ? check_linear(bytes) : check_embedding(bytes);
  AIOS_ASSERT(!LinearModel::load(input).ok() && !EmbeddingModel::load(input).ok());
}

}  // namespace aios::fuzz

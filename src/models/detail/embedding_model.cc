// SPDX-License-Identifier: Apache-2.0
#include "models/detail/embedding_model.h"

#include "core/codec.h"
#include "models/detail/array_codec.h"
#include "models/detail/checked_bytes.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

namespace aios::models::detail {
namespace {

constexpr std::uint8_t format_version = 1;
constexpr std::string_view magic = "aios text_embedding";

Error damaged(std::string_view what) {
  return Error(Code::data_loss, fmt::format("the bytes of the embedding are damaged: {}", what))
      .page(711);
}

struct Loaded {
  std::vector<std::uint32_t> hashes;
  std::vector<float> idf;
  std::vector<float> unknown;  ///< idf of words and of pieces that are not known
  EmbeddingParts parts;
};

bool read_parts(Reader& in, Loaded& loaded) {
  const std::uint64_t features = in.varint();
  const std::uint64_t dimensions = in.varint();
  if (!in.ok() || features > embedding_features_max || dimensions > embedding_dimensions_max) {
    return false;
  }
  loaded.parts.dimensions = dimensions;
  return read_array(in, features, loaded.hashes) && read_array(in, features, loaded.idf) &&
         read_array(in, 2, loaded.unknown) && read_array(in, features, loaded.parts.scales) &&
         read_array(in, features * dimensions, loaded.parts.points) && in.at_end();
}

bool sensible(const Loaded& loaded) {
  const std::set<std::uint32_t> distinct(loaded.hashes.begin(), loaded.hashes.end());
  return distinct.size() == loaded.hashes.size() && !distinct.contains(0) &&
         all_finite(loaded.idf) && all_finite(loaded.unknown) && all_finite(loaded.parts.scales);
}

}  // namespace

std::vector<float> EmbeddingModel::embed(std::string_view text) const {
  TextVector vector;
  vector.read(text, parts_.vocabulary);
  const std::size_t dimensions = parts_.dimensions;
  std::vector<float> sums(dimensions, 0.0F);
  for (const TextVector::Slot& slot : vector.slots()) {
    const float value = slot.value * parts_.scales[slot.feature];
    const std::int8_t* row = parts_.points.data() + slot.feature * dimensions;
    for (std::size_t i = 0; i < dimensions; ++i) {
      sums[i] += value * static_cast<float>(row[i]);
    }
  }
  float squares = 0;
  for (const float sum : sums) {
    squares += sum * sum;
  }
  if (squares > 1) {
    const float scale = 1 / std::sqrt(squares);
    for (float& sum : sums) {
      sum *= scale;
    }
  }
  return sums;
}

std::string EmbeddingModel::serialize() const {
  Writer out;
  out.u8(format_version);
  out.bytes(magic);
  out.varint(parts_.vocabulary.size());
  out.varint(parts_.dimensions);
  write_array(out, parts_.vocabulary.hashes());
  write_array(out, parts_.vocabulary.idf());
  write_array(out, std::vector<float>{parts_.vocabulary.unknown_word_idf(),
                                      parts_.vocabulary.unknown_piece_idf()});
  write_array(out, parts_.scales);
  write_array(out, parts_.points);
  return with_checksum(out.take());
}

Result<std::unique_ptr<Embedding>> EmbeddingModel::load(std::string_view bytes) {
  const auto body = without_checksum(bytes);
  if (!body.ok()) {
    return damaged(body.error().message());
  }
  Reader in(*body);
  const std::uint8_t version = in.u8();
  if (version != format_version || in.bytes() != magic) {
    return damaged(
        fmt::format("found format {}, wanted text_embedding format {}", version, format_version));
  }
  Loaded loaded;
  if (!read_parts(in, loaded) || !sensible(loaded)) {
    return damaged("the parts do not fit each other");
  }
  loaded.parts.vocabulary = Vocabulary(std::move(loaded.hashes), std::move(loaded.idf),
                                       loaded.unknown[0], loaded.unknown[1]);
  return std::unique_ptr<Embedding>(std::make_unique<EmbeddingModel>(std::move(loaded.parts)));
}

}  // namespace aios::models::detail

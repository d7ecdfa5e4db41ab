// SPDX-License-Identifier: Apache-2.0
// The bytes of a model: version, labels, temperature, scale of familiarity (since format 2),
// vocabulary, weights, then SHA-256 of all that. Numbers in arrays are little-endian, 32 bits each.
#include "core/codec.h"
#include "models/detail/array_codec.h"
#include "models/detail/checked_bytes.h"
#include "models/detail/linear_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace aios::models::detail {
namespace {

constexpr std::uint8_t format_version = 2;
constexpr std::uint8_t format_without_familiarity = 1;
constexpr std::string_view magic = "aios text_linear";

Error damaged(std::string_view what) {
  return Error(Code::data_loss,
               fmt::format("the bytes of the text_linear model are damaged: {}", what))
      .page(703);
}

struct Loaded {
  LinearParts parts;
  std::vector<std::uint32_t> hashes;
  std::vector<float> idf;
  std::vector<float> scalars;  ///< temperature, unknown idf of words, of pieces
  std::vector<float> familiarity;
};

bool read_labels(Reader& in, Loaded& loaded) {
  const std::uint64_t count = in.varint();
  if (!in.ok() || count < 2 || count > labels_max) {
    return false;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view label = in.bytes();
    if (!in.ok() || label.empty() || label.size() > label_bytes_max) {
      return false;
    }
    loaded.parts.labels.emplace_back(label);
  }
  return read_array(in, count, loaded.parts.priors) && read_array(in, 3, loaded.scalars);
}

bool read_familiarity(Reader& in, Loaded& loaded) {
  const std::uint64_t count = in.varint();
  return in.ok() && (count == 0 || count == familiarity_steps) &&
         read_array(in, count, loaded.familiarity) && all_finite(loaded.familiarity) &&
         std::is_sorted(loaded.familiarity.begin(), loaded.familiarity.end());
}

bool read_weights(Reader& in, Loaded& loaded) {
  const std::uint64_t features = in.varint();
  const std::size_t stride = loaded.parts.stride();
  if (!in.ok() || features > features_max || (features + 1) * stride > weights_max) {
    return false;
  }
  return read_array(in, features, loaded.hashes) && read_array(in, features, loaded.idf) &&
         read_array(in, (features + 1) * stride, loaded.parts.weights) && in.at_end();
}

bool sensible(const Loaded& loaded) {
  const std::set<std::uint32_t> distinct(loaded.hashes.begin(), loaded.hashes.end());
  return distinct.size() == loaded.hashes.size() && !distinct.contains(0) &&
         all_finite(loaded.parts.priors) && all_finite(loaded.scalars) && all_finite(loaded.idf) &&
         all_finite(loaded.parts.weights) && loaded.scalars[0] > 0;
}

}  // namespace

std::string LinearModel::serialize() const {
  Writer out;
  out.u8(format_version);
  out.bytes(magic);
  out.varint(parts_.labels.size());
  for (const std::string& label : parts_.labels) {
    out.bytes(label);
  }
  write_array(out, parts_.priors);
  write_array(out, std::vector<float>{parts_.temperature, parts_.vocabulary.unknown_word_idf(),
                                      parts_.vocabulary.unknown_piece_idf()});
  out.varint(parts_.familiarity.quantiles().size());
  write_array(out, parts_.familiarity.quantiles());
  out.varint(parts_.vocabulary.size());
  write_array(out, parts_.vocabulary.hashes());
  write_array(out, parts_.vocabulary.idf());
  write_array(out, parts_.weights);
  return with_checksum(out.take());
}

Result<std::unique_ptr<Model>> LinearModel::load(std::string_view bytes) {
  const auto body = without_checksum(bytes);
  if (!body.ok()) {
    return damaged(body.error().message());
  }
  Reader in(*body);
  const std::uint8_t version = in.u8();
  const bool older = version == format_without_familiarity;
  if ((version != format_version && !older) || in.bytes() != magic) {
    return Error(Code::data_loss, fmt::format("found model format {}, wanted text_linear format {}",
                                              version, format_version))
        .page(703);
  }
  Loaded loaded;
  if (!read_labels(in, loaded) || (!older && !read_familiarity(in, loaded)) ||
      !read_weights(in, loaded) || !sensible(loaded)) {
    return damaged("the parts do not fit each other");
  }
  loaded.parts.temperature = loaded.scalars[0];
  loaded.parts.familiarity = Familiarity(std::move(loaded.familiarity));
  loaded.parts.vocabulary = Vocabulary(std::move(loaded.hashes), std::move(loaded.idf),
                                       loaded.scalars[1], loaded.scalars[2]);
  return std::unique_ptr<Model>(std::make_unique<LinearModel>(std::move(loaded.parts)));
}

}  // namespace aios::models::detail

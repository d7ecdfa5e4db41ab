// SPDX-License-Identifier: Apache-2.0
#include "models/detail/vocabulary.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace aios::models::detail {
namespace {

/// Far enough ahead for a line to arrive from memory.
constexpr std::size_t prefetch_ahead = 12;

float sublinear(std::uint32_t count) {
  return count == 1 ? 1.0F : 1.0F + std::log(static_cast<float>(count));
}

}  // namespace

Vocabulary::Vocabulary(std::vector<std::uint32_t> hashes, std::vector<float> idf,
                       float unknown_word_idf, float unknown_piece_idf)
    : hashes_(std::move(hashes)),
      idf_(std::move(idf)),
      unknown_word_idf_(unknown_word_idf),
      unknown_piece_idf_(unknown_piece_idf) {
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(hashes_.size() * 2, 16));
  table_.assign(size, Entry{});
  mask_ = size - 1;
  for (std::size_t feature = 0; feature < hashes_.size(); ++feature) {
    std::size_t at = hashes_[feature] & mask_;
    while (table_[at].hash != 0) {
      at = (at + 1) & mask_;
    }
    table_[at] = {hashes_[feature], static_cast<std::uint32_t>(feature)};
  }
}

void TextVector::read(std::string_view text, const Vocabulary& vocabulary) {
  grams_.read(text);
  slots_.clear();
  occurrences_.clear();
  words_ = 0;
  words_known_ = 0;
  clear_index(grams_.word_grams().size() + grams_.piece_grams().size());
  add_block(Block::words, vocabulary);
  add_block(Block::pieces, vocabulary);
}

void TextVector::clear_index(std::size_t grams) {
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(grams * 2, 64));
  index_.assign(size, 0);
  index_mask_ = size - 1;
}

void TextVector::add_block(Block block, const Vocabulary& vocabulary) {
  const bool words = block == Block::words;
  const std::vector<Gram>& grams = words ? grams_.word_grams() : grams_.piece_grams();
  const float unknown_idf = words ? vocabulary.unknown_word_idf() : vocabulary.unknown_piece_idf();
  const std::size_t first_slot = slots_.size();
  std::size_t unknown = 0;
  for (std::size_t i = 0; i < grams.size() && i < prefetch_ahead; ++i) {
    vocabulary.prefetch(grams[i].hash);
  }
  for (std::size_t i = 0; i < grams.size(); ++i) {
    if (i + prefetch_ahead < grams.size()) {
      vocabulary.prefetch(grams[i + prefetch_ahead].hash);
    }
    const Gram& gram = grams[i];
    const std::uint32_t feature = vocabulary.find(gram.hash);
    const bool whole_word = words && gram.words == 1;
    if (feature == no_feature) {
      ++unknown;
      words_ += whole_word ? unknown_idf : 0.0F;
      continue;
    }
    if (whole_word) {
      words_ += vocabulary.idf()[feature];
      words_known_ += vocabulary.idf()[feature];
    }
    std::size_t at = gram.hash & index_mask_;
    while (index_[at] != 0 && slots_[index_[at] - 1].feature != feature) {
      at = (at + 1) & index_mask_;
    }
    if (index_[at] == 0) {
      slots_.push_back({feature, 0, 0});
      index_[at] = static_cast<std::uint32_t>(slots_.size());
    }
    const std::uint32_t slot = index_[at] - 1;
    ++slots_[slot].count;
    occurrences_.push_back({slot, gram.word, gram.words, whole_word});
  }
  float squares = static_cast<float>(unknown) * unknown_idf * unknown_idf;
  for (std::size_t slot = first_slot; slot < slots_.size(); ++slot) {
    Slot& entry = slots_[slot];
    entry.value = sublinear(entry.count) * vocabulary.idf()[entry.feature];
    squares += entry.value * entry.value;
  }
  const float scale = squares > 0 ? 1.0F / std::sqrt(squares) : 0.0F;
  for (std::size_t slot = first_slot; slot < slots_.size(); ++slot) {
    slots_[slot].value *= scale;
  }
}

}  // namespace aios::models::detail

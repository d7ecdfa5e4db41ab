// SPDX-License-Identifier: Apache-2.0
// Bloom filters, one behind the other, each key within one line of the processor's cache: a
// fingerprint is a keyed hash already, so its bytes are the hashes that are needed.
#include "store/detail/key_filter.h"

#include <cstring>
#include <utility>

namespace aios::store::detail {
namespace {

constexpr std::size_t words_per_line = 8;
constexpr int bits_set = 6;
constexpr int bit_bits = 9;  // 512 bits in a line

std::uint64_t half(const Fingerprint& key, std::size_t from) {
  std::uint64_t out = 0;
  std::memcpy(&out, key.data() + from, sizeof(out));
  return out;
}

/// Calls with the word's place and the bit in it, until it gives false.
template <class Each>
bool for_bits(const Fingerprint& key, std::size_t words, Each each) {
  const std::size_t line = half(key, 0) % (words / words_per_line) * words_per_line;
  std::uint64_t rest = half(key, sizeof(std::uint64_t));
  for (int i = 0; i < bits_set; ++i, rest >>= bit_bits) {
    const std::size_t bit = rest & ((1U << bit_bits) - 1);
    if (!each(line + bit / 64, std::uint64_t{1} << bit % 64)) {
      return false;
    }
  }
  return true;
}

}  // namespace

void KeyFilter::add(const Fingerprint& key) {
  if (keys_ == keys_of(layer_)) {
    if (layer_ + 1 == layers_max) {
      full_.store(true, std::memory_order_release);
      return;
    }
    ++layer_;
    keys_ = 0;
  }
  auto& owned = owned_.at(layer_);
  if (owned == nullptr) {
    owned = std::make_unique<Word[]>(words_of(layer_));
    layers_.at(layer_).store(owned.get(), std::memory_order_release);
  }
  Word* words = owned.get();
  ++keys_;
  for_bits(key, words_of(layer_), [words](std::size_t word, std::uint64_t bit) {
    words[word].fetch_or(bit, std::memory_order_release);
    return true;
  });
}

bool KeyFilter::perhaps(const Fingerprint& key) const {
  if (!is_complete() || full_.load(std::memory_order_acquire)) {
    return true;
  }
  for (std::size_t layer = 0; layer < layers_max; ++layer) {
    const Word* words = layers_.at(layer).load(std::memory_order_acquire);
    if (words == nullptr) {
      return false;
    }
    if (for_bits(key, words_of(layer), [words](std::size_t word, std::uint64_t bit) {
          return (words[word].load(std::memory_order_acquire) & bit) != 0;
        })) {
      return true;
    }
  }
  return false;
}

}  // namespace aios::store::detail

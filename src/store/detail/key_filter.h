// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/key_filter: of which keys the tables hold nothing, so that a new one costs no look into
// them (one for each day that is kept). Of a key that is there it never says no; of about one in a
// hundred others it says perhaps.
// Threading: add() and complete() on one thread, the rest on any.

#include "store/detail/record.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace aios::store::detail {

class KeyFilter {
 public:
  /// To be called before the key can be found in the tables. Of a key that is taken away later it
  /// goes on saying perhaps.
  void add(const Fingerprint& key);
  /// From here on all that the tables hold was added.
  void complete() { complete_.store(true, std::memory_order_release); }
  bool is_complete() const { return complete_.load(std::memory_order_acquire); }
  /// With more than 22 million keys it says so of all.
  bool perhaps(const Fingerprint& key) const;

 private:
  using Word = std::atomic<std::uint64_t>;
  static constexpr std::size_t layers_max = 9;
  static constexpr std::size_t first_bytes = std::size_t{64} << 10;  // each is twice the one before
  static constexpr std::size_t bits_per_key = 12;
  static constexpr std::size_t words_of(std::size_t layer) {
    return (first_bytes << layer) / sizeof(Word);
  }
  static constexpr std::size_t keys_of(std::size_t layer) {
    return (first_bytes << layer) * 8 / bits_per_key;
  }

  std::array<std::unique_ptr<Word[]>, layers_max> owned_{};
  std::array<std::atomic<Word*>, layers_max> layers_{};  // those that readers may look at
  std::size_t layer_ = 0;                                // that is being filled
  std::size_t keys_ = 0;                                 // in it
  std::atomic<bool> complete_{false};
  std::atomic<bool> full_{false};
};

}  // namespace aios::store::detail

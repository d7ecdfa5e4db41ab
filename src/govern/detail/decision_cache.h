// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/decision_cache: answers by the exact facts they were made from. Bounded: 4,096
// answers in 16 shards, the least recently used leaves first; longer keys than 4 KiB are not kept.
// An answer holds the input it was made from, which is about as long as its key.
// Threading: any; a shard's lock is held for one look-up.

#include "govern/detail/verdict.h"

#include <array>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace aios::govern::detail {

class DecisionCache {
 public:
  std::shared_ptr<const PolicyAnswer> get(std::string_view key);
  void put(std::string_view key, std::shared_ptr<const PolicyAnswer> answer);

 private:
  static constexpr std::size_t shard_count = 16;
  static constexpr std::size_t answers_per_shard = 256;
  static constexpr std::size_t key_bytes_max = 4096;

  struct Entry {
    std::string key;
    std::shared_ptr<const PolicyAnswer> answer;
  };
  struct Shard {
    std::mutex mutex;
    std::list<Entry> entries;  // most recently used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key;  // views into entries
  };
  Shard& shard_of(std::string_view key);

  std::array<Shard, shard_count> shards_;
};

}  // namespace aios::govern::detail

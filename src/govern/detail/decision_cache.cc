// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/decision_cache.h"

#include <functional>

namespace aios::govern::detail {

DecisionCache::Shard& DecisionCache::shard_of(std::string_view key) {
  // The map inside uses the low bits of the same hash.
  return shards_[std::hash<std::string_view>()(key) >> 60 & (shard_count - 1)];
}

std::shared_ptr<const PolicyAnswer> DecisionCache::get(std::string_view key) {
  if (key.size() > key_bytes_max) {
    return nullptr;
  }
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.by_key.find(key);
  if (at == shard.by_key.end()) {
    return nullptr;
  }
  shard.entries.splice(shard.entries.begin(), shard.entries, at->second);
  return at->second->answer;
}

void DecisionCache::put(std::string_view key, std::shared_ptr<const PolicyAnswer> answer) {
  if (key.size() > key_bytes_max) {
    return;
  }
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  if (shard.by_key.contains(key)) {
    return;
  }
  if (shard.entries.size() == answers_per_shard) {
    shard.by_key.erase(shard.entries.back().key);
    shard.entries.pop_back();
  }
  shard.entries.push_front({std::string(key), std::move(answer)});
  shard.by_key.emplace(shard.entries.front().key, shard.entries.begin());
}

}  // namespace aios::govern::detail

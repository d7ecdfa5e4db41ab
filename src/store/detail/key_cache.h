// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/key_cache: opened data keys by id, bounded, the oldest leaves first. Threading: any.

#include "store/detail/tenant_keys.h"

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <unordered_map>

namespace aios::store::detail {

class KeyCache {
 public:
  explicit KeyCache(std::size_t keys_max) : keys_max_(keys_max) {}

  std::optional<Key> find(std::uint64_t id) const {
    std::shared_lock lock(mutex_);
    auto found = keys_.find(id);
    return found == keys_.end() ? std::nullopt : std::optional(found->second);
  }
  /// How often keys were forgotten: ask before reading a key that is to be put here.
  std::uint64_t era() const {
    std::shared_lock lock(mutex_);
    return era_;
  }
  /// False, and nothing is kept, when a key was forgotten since `era`: it may have been this one.
  bool put(std::uint64_t id, const Key& key, std::uint64_t era) {
    std::unique_lock lock(mutex_);
    if (era != era_) {
      return false;
    }
    if (keys_.insert_or_assign(id, key).second) {
      order_.push_back(id);
    }
    if (order_.size() > keys_max_) {
      keys_.erase(order_.front());  // or it was forgotten
      order_.pop_front();
    }
    return true;
  }
  void forget(std::uint64_t id) {
    std::unique_lock lock(mutex_);
    keys_.erase(id);
    ++era_;
  }
  std::size_t size() const {
    std::shared_lock lock(mutex_);
    return keys_.size();
  }

 private:
  const std::size_t keys_max_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::uint64_t, Key> keys_;
  std::deque<std::uint64_t> order_;
  std::uint64_t era_ = 0;
};

}  // namespace aios::store::detail

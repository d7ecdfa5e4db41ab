// SPDX-License-Identifier: Apache-2.0
#include "store/detail/leaving.h"

namespace aios::store::detail {

Leaving::Batch::Batch(Leaving& leaving, const AnyOf& writes_any) : leaving_(leaving) {
  std::unique_lock lock(leaving_.mutex_);
  leaving_.changed_.wait(lock,
                         [&] { return leaving_.keys_.empty() || !writes_any(leaving_.keys_); });
  leaving_.in_hand_ = true;
  ++leaving_.batches_;
}

Leaving::Batch::~Batch() {
  {
    std::lock_guard lock(leaving_.mutex_);
    leaving_.in_hand_ = false;
  }
  leaving_.changed_.notify_all();
}

std::vector<bool> Leaving::Claim::of(const std::vector<std::string>& keys,
                                     const std::function<bool(const std::string& key)>& written) {
  std::unique_lock lock(leaving_.mutex_);
  leaving_.keys_.insert(keys.begin(), keys.end());
  // Later batches write none of them: only the one that may have been checked before counts.
  const std::uint64_t batch = leaving_.batches_;
  leaving_.changed_.wait(lock, [&] { return !leaving_.in_hand_ || leaving_.batches_ != batch; });
  std::vector<bool> may_go;
  may_go.reserve(keys.size());
  for (const std::string& key : keys) {
    may_go.push_back(!written(key));
    if (!may_go.back()) {
      leaving_.keys_.erase(key);
    }
  }
  lock.unlock();
  leaving_.changed_.notify_all();
  return may_go;
}

Leaving::Claim::~Claim() {
  {
    std::lock_guard lock(leaving_.mutex_);
    leaving_.keys_.clear();
    leaving_.ended_.fetch_add(1, std::memory_order_release);
  }
  leaving_.changed_.notify_all();
}

}  // namespace aios::store::detail

// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/end_waiters.h"

#include <utility>

namespace aios::workflow {

std::uint64_t EndWaiters::join(const std::string& run_id, const runtime::OneShot<void>& ended) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t number = next_++;
  waiting_[run_id].emplace(number, ended);
  return number;
}

void EndWaiters::leave(const std::string& run_id, std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(run_id);
  if (found == waiting_.end()) {
    return;
  }
  found->second.erase(number);
  if (found->second.empty()) {
    waiting_.erase(found);
  }
}

void EndWaiters::tell(const std::string& run_id) {
  std::map<std::uint64_t, runtime::OneShot<void>> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(run_id);
    if (found == waiting_.end()) {
      return;
    }
    waiting = std::move(found->second);
    waiting_.erase(found);
  }
  for (const auto& [number, waiter] : waiting) {
    waiter.set(Result<void>());
  }
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/end_waiters: who waits in this process until a run has ended. Any thread.

#include "runtime/one_shot.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace aios::workflow {

class EndWaiters {
 public:
  /// @return a number for leave().
  std::uint64_t join(const std::string& run_id, const runtime::OneShot<void>& ended);
  void leave(const std::string& run_id, std::uint64_t number);
  /// Wakes all who wait for the run, once.
  void tell(const std::string& run_id);

 private:
  std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::map<std::string, std::map<std::uint64_t, runtime::OneShot<void>>> waiting_;
};

}  // namespace aios::workflow

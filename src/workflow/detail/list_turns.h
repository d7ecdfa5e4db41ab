// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/list_turns: how many lists of runs are read at once: each holds states in memory
// and a shard for a while. Who finds no turn waits, first come first served. Threading: any thread.

#include "core/context.h"
#include "core/result.h"
#include "runtime/one_shot.h"

#include <cstdint>
#include <map>
#include <mutex>

namespace aios::workflow {

class ListTurns {
 public:
  static constexpr std::uint32_t at_once_max = 4;
  static constexpr std::size_t waiting_max = 256;

  /// @return resource_exhausted (Retry::same_call) when too many wait; ctx's end.
  Task<Result<void>> take(Context ctx);
  void give_back();

 private:
  std::mutex mutex_;
  std::uint32_t free_ = at_once_max;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, runtime::OneShot<void>> waiting_;  ///< oldest first
};

}  // namespace aios::workflow

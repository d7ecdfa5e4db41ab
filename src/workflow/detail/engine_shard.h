// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/engine_shard: the runs that one shard has in memory, and what drives them.
// Threading: used only on `executor`.

#include "core/context.h"
#include "runtime/executor.h"
#include "runtime/task_group.h"
#include "workflow/detail/live_run.h"

#include <string>
#include <unordered_map>
#include <unordered_set>

namespace aios::workflow {

struct EngineShard {
  explicit EngineShard(runtime::Executor& shard) : executor(shard), group(shard), admin(shard) {}
  runtime::Executor& executor;
  runtime::TaskGroup group;
  runtime::TaskGroup admin;  ///< waits for `group`
  std::unordered_map<std::string, RunPtr> runs;
  std::unordered_set<std::string> putting_off;  ///< runs that could not be read a moment ago
  struct Parked {
    TenantId tenant;
    std::string peer;
  };
  std::unordered_map<std::string, Parked> parked;  ///< runs that a peer's trouble holds up
  std::unordered_set<std::string> early;           ///< to be woken before their time
};

}  // namespace aios::workflow

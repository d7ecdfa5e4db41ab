// SPDX-License-Identifier: Apache-2.0
#pragma once
// runtime/detail/root: starts a task that no coroutine awaits, and says when it has ended.

#include "runtime/executor.h"
#include "runtime/task.h"

#include <functional>

namespace aios::runtime::detail {

/// Starts the task from the executor's queue; its frame is gone when `ended` is called, on the
/// executor's thread.
void start_root(Executor& executor, Task<void> task, std::function<void()> ended);

}  // namespace aios::runtime::detail

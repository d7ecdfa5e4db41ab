// SPDX-License-Identifier: Apache-2.0
#pragma once
// runtime/task_group: owns coroutines that run beside each other; nothing runs detached. join()
// waits for all. Threading: one executor; spawn() and join() only there.

#include "runtime/executor.h"
#include "runtime/task.h"

#include <coroutine>
#include <cstddef>
#include <memory>

namespace aios::runtime {

class TaskGroup {
 public:
  explicit TaskGroup(Executor& executor);
  ~TaskGroup();  ///< asserts that nothing runs any more: join() first
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts the task from the executor's queue.
  void spawn(Task<void> task);
  std::size_t running() const;
  /// Ends when the last spawned task has ended, also those spawned meanwhile.
  Task<void> join();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace aios::runtime

// SPDX-License-Identifier: Apache-2.0
#include "runtime/task_group.h"

#include "core/result.h"

#include <list>

namespace aios::runtime {

/// Frames of ended tasks are freed at the next spawn or join: a coroutine cannot free itself while it runs.
struct TaskGroup::State {
  explicit State(Executor& on) : executor(&on) {}
  Executor* executor;
  std::size_t running = 0;
  std::list<Task<void>> roots;
  std::coroutine_handle<> joiner;
};

namespace {

struct JoinAwaiter {
  const std::size_t* running;
  std::coroutine_handle<>* joiner;
  bool await_ready() const noexcept { return *running == 0; }
  void await_suspend(std::coroutine_handle<> handle) const { *joiner = handle; }
  void await_resume() const noexcept {}
};

}  // namespace

TaskGroup::TaskGroup(Executor& executor) : state_(std::make_shared<State>(executor)) {}

TaskGroup::~TaskGroup() { AIOS_ASSERT(state_->running == 0); }

std::size_t TaskGroup::running() const { return state_->running; }

Task<void> TaskGroup::root(std::shared_ptr<State> state, Task<void> task) {
  co_await std::move(task);
  state->running -= 1;
  if (state->running == 0 && state->joiner) {
    state->executor->post(std::exchange(state->joiner, nullptr));
  }
}

void TaskGroup::spawn(Task<void> task) {
  state_->roots.remove_if([](const Task<void>& root) { return root.done(); });
  state_->running += 1;
  state_->roots.push_back(root(state_, std::move(task)));
  Task<void>* started = &state_->roots.back();
  state_->executor->post([started] { started->start(); });
}

Task<void> TaskGroup::join() {
  while (state_->running > 0) {
    JoinAwaiter awaiter{&state_->running, &state_->joiner};
    co_await awaiter;
  }
  state_->roots.clear();
}

}  // namespace aios::runtime

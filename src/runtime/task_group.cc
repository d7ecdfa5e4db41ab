// SPDX-License-Identifier: Apache-2.0
#include "runtime/task_group.h"

#include "core/result.h"
#include "runtime/detail/root.h"
#include "runtime/one_shot.h"

#include <vector>

namespace aios::runtime {

struct TaskGroup::State {
  Executor* executor = nullptr;
  std::size_t running = 0;
  std::vector<OneShot<void>> joiners;

  void ended() {
    if (--running > 0) {
      return;
    }
    for (const auto& joiner : std::exchange(joiners, {})) {
      joiner.set(Result<void>());
    }
  }
};

TaskGroup::TaskGroup(Executor& executor) : state_(std::make_shared<State>()) {
  state_->executor = &executor;
}

TaskGroup::~TaskGroup() { AIOS_ASSERT(state_->running == 0); }

void TaskGroup::spawn(Task<void> task) {
  ++state_->running;
  detail::start_root(*state_->executor, std::move(task), [state = state_] { state->ended(); });
}

std::size_t TaskGroup::running() const { return state_->running; }

Task<void> TaskGroup::join() {
  const std::shared_ptr<State> state = state_;
  while (state->running > 0) {
    OneShot<void> idle;
    state->joiners.push_back(idle);
    Context forever;
    auto woken = co_await idle.wait(std::move(forever));
    AIOS_ASSERT(woken.ok());
  }
}

}  // namespace aios::runtime

// SPDX-License-Identifier: Apache-2.0
#include "app/stop_bound.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace aios::app {

struct StopBound::State {
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
};

StopBound::StopBound(Duration span, std::function<void()> late)
    : state_(std::make_unique<State>()),
      thread_([state = state_.get(), span, late = std::move(late)] {
        std::unique_lock lock(state->mutex);
        if (!state->changed.wait_for(lock, span, [state] { return state->ended; })) {
          lock.unlock();
          late();
        }
      }) {}

StopBound::~StopBound() {
  {
    std::lock_guard lock(state_->mutex);
    state_->ended = true;
  }
  state_->changed.notify_all();
  thread_.join();
}

}  // namespace aios::app

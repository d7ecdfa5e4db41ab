// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/stop_bound: an end for work that may not end by itself, on a thread of its own.

#include "core/time.h"

#include <functional>
#include <memory>
#include <thread>

namespace aios::app {

class StopBound {
 public:
  /// @param late  called once, on another thread, when this still lives after `span`.
  StopBound(Duration span, std::function<void()> late);
  /// From here on `late` is not called; one that runs is waited for.
  ~StopBound();
  StopBound(const StopBound&) = delete;
  StopBound& operator=(const StopBound&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::thread thread_;
};

}  // namespace aios::app

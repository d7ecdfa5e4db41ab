// SPDX-License-Identifier: Apache-2.0
#pragma once
// runtime/detail/timer_queue: what is to run when, in order of time, then of call. One thread.

#include "runtime/executor.h"

#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

namespace aios::runtime::detail {

class TimerQueue {
 public:
  Executor::TimerId add(Instant at, std::function<void()> work);
  void cancel(Executor::TimerId timer);
  /// Instant::never() when nothing waits.
  Instant next() const;
  /// The first work that is due at `now`, taken out; an empty function when there is none.
  std::function<void()> take_due(Instant now);

 private:
  using Key = std::pair<Instant, Executor::TimerId>;
  std::map<Key, std::function<void()>> due_;
  std::unordered_map<Executor::TimerId, Instant> times_;
  Executor::TimerId last_ = 0;
};

}  // namespace aios::runtime::detail

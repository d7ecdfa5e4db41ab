// SPDX-License-Identifier: Apache-2.0
#include "runtime/detail/timer_queue.h"

namespace aios::runtime::detail {

Executor::TimerId TimerQueue::add(Instant at, std::function<void()> work) {
  const Executor::TimerId timer = ++last_;
  due_.emplace(Key{at, timer}, std::move(work));
  times_.emplace(timer, at);
  return timer;
}

void TimerQueue::cancel(Executor::TimerId timer) {
  const auto found = times_.find(timer);
  if (found != times_.end()) {
    due_.erase({found->second, timer});
    times_.erase(found);
  }
}

Instant TimerQueue::next() const {
  return due_.empty() ? Instant::never() : due_.begin()->first.first;
}

std::function<void()> TimerQueue::take_due(Instant now) {
  if (due_.empty() || due_.begin()->first.first > now) {
    return {};
  }
  const auto first = due_.begin();
  std::function<void()> work = std::move(first->second);
  times_.erase(first->first.second);
  due_.erase(first);
  return work;
}

}  // namespace aios::runtime::detail

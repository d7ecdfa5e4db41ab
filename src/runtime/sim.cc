// SPDX-License-Identifier: Apache-2.0
#include "runtime/sim.h"

#include <deque>
#include <map>
#include <mutex>
#include <random>

namespace aios::runtime {

struct SimExecutor::Impl {
  struct SimClock final : Clock {
    Time wall;
    Instant monotonic{1'000'000'000};
    Time now() override { return wall; }
    Instant instant() override { return monotonic; }
    void jump_to(Instant at) {
      if (at > monotonic) {
        wall = wall + (at - monotonic);
        monotonic = at;
      }
    }
  };
  struct SimRandom final : Random {
    std::mt19937_64 generator;
    std::uint64_t next() override { return generator(); }
  };

  SimClock clock;
  SimRandom random;
  std::mutex mutex;  // post() may come from a helper thread (a store's writer)
  std::deque<std::function<void()>> queue;
  std::map<std::pair<Instant, TimerId>, std::function<void()>> timers;
  std::map<TimerId, Instant> due;
  TimerId last_timer = 0;

  std::function<void()> pop() {
    std::lock_guard lock(mutex);
    if (queue.empty()) {
      return nullptr;
    }
    auto work = std::move(queue.front());
    queue.pop_front();
    return work;
  }
};

SimExecutor::SimExecutor(std::uint64_t seed, Time start) : impl_(std::make_unique<Impl>()) {
  impl_->random.generator.seed(seed);
  impl_->clock.wall = start;
  set_current(this);
}

SimExecutor::~SimExecutor() { set_current(nullptr); }

void SimExecutor::post(std::function<void()> work) {
  std::lock_guard lock(impl_->mutex);
  impl_->queue.push_back(std::move(work));
}

void SimExecutor::post(std::coroutine_handle<> handle) {
  post([handle] { handle.resume(); });
}

Executor::TimerId SimExecutor::call_at(Instant at, std::function<void()> work) {
  const TimerId id = ++impl_->last_timer;
  impl_->timers.emplace(std::pair(at, id), std::move(work));
  impl_->due.emplace(id, at);
  return id;
}

void SimExecutor::cancel(TimerId timer) {
  const auto found = impl_->due.find(timer);
  if (found != impl_->due.end()) {
    impl_->timers.erase({found->second, timer});
    impl_->due.erase(found);
  }
}

Clock& SimExecutor::clock() { return impl_->clock; }
Random& SimExecutor::random() { return impl_->random; }

bool SimExecutor::step() {
  if (auto work = impl_->pop()) {
    work();
    return true;
  }
  if (impl_->timers.empty()) {
    return false;
  }
  auto first = impl_->timers.begin();
  impl_->clock.jump_to(first->first.first);
  auto work = std::move(first->second);
  impl_->due.erase(first->first.second);
  impl_->timers.erase(first);
  work();
  return true;
}

void SimExecutor::advance(Duration span) {
  const Instant until = impl_->clock.monotonic + span;
  for (;;) {
    if (auto work = impl_->pop()) {
      work();
      continue;
    }
    if (impl_->timers.empty() || impl_->timers.begin()->first.first > until) {
      break;
    }
    step();
  }
  impl_->clock.jump_to(until);
}

bool SimExecutor::run_until_idle(std::uint64_t steps_max) {
  for (std::uint64_t i = 0; i < steps_max; ++i) {
    if (!step()) {
      return true;
    }
  }
  return false;
}

void SimExecutor::run_void(Task<void> task) {
  post([&task] { task.start(); });
  while (!task.done()) {
    AIOS_ASSERT(step());  // idle before the task ended: it waits for something that never comes
  }
}

}  // namespace aios::runtime

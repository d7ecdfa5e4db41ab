// SPDX-License-Identifier: Apache-2.0
#include "runtime/sim.h"

#include "core/result.h"
#include "runtime/detail/mix.h"
#include "runtime/detail/root.h"
#include "runtime/detail/timer_queue.h"
#include "runtime/sim_wall.h"

#include <atomic>
#include <deque>
#include <mutex>

namespace aios::runtime {
namespace {

/// Thread-safe, as every Clock: a thread of a pool may look while the loop jumps.
class SimClock final : public Clock {
 public:
  explicit SimClock(Time start) : start_(start) {}
  Time now() override { return start_ + Duration(passed_ns_.load() + ahead_ns_.load()); }
  Instant instant() override { return {origin_ns + passed_ns_.load()}; }
  void jump(Instant to) {
    if (to > instant()) {
      passed_ns_.store(to.ns - origin_ns);
    }
  }
  void set_ahead(Duration ahead) { ahead_ns_.store(ahead.count()); }

 private:
  static constexpr std::int64_t origin_ns = 1'000'000'000;
  Time start_;
  std::atomic<std::int64_t> passed_ns_{0};
  std::atomic<std::int64_t> ahead_ns_{0};
};

class SimRandom final : public Random {
 public:
  explicit SimRandom(std::uint64_t seed) : state_(detail::mix(seed)) {}
  std::uint64_t next() override { return detail::mix(state_.fetch_add(detail::golden)); }

 private:
  std::atomic<std::uint64_t> state_;
};

}  // namespace

void set_sim_wall(Clock& clock, Duration ahead) {
  auto* const simulated = dynamic_cast<SimClock*>(&clock);
  AIOS_ASSERT(simulated != nullptr);
  simulated->set_ahead(ahead);
}

struct SimExecutor::Impl {
  Impl(std::uint64_t seed, Time start) : clock(start), random(seed) {}
  SimClock clock;
  SimRandom random;
  detail::TimerQueue timers;
  std::mutex mutex;
  std::deque<std::function<void()>> queue;

  std::function<void()> take_posted() {
    std::lock_guard lock(mutex);
    if (queue.empty()) {
      return {};
    }
    auto work = std::move(queue.front());
    queue.pop_front();
    return work;
  }
};

SimExecutor::SimExecutor(std::uint64_t seed, Time start)
    : impl_(std::make_unique<Impl>(seed, start)) {
  set_current(this);
}

SimExecutor::~SimExecutor() {
  if (current() == this) {
    set_current(nullptr);
  }
}

void SimExecutor::post(std::function<void()> work) {
  std::lock_guard lock(impl_->mutex);
  impl_->queue.push_back(std::move(work));
}

void SimExecutor::post(std::coroutine_handle<> handle) {
  post(std::function<void()>([handle] { handle.resume(); }));
}

Executor::TimerId SimExecutor::call_at(Instant at, std::function<void()> work) {
  return impl_->timers.add(at, std::move(work));
}
void SimExecutor::cancel(TimerId timer) { impl_->timers.cancel(timer); }
Clock& SimExecutor::clock() { return impl_->clock; }
Random& SimExecutor::random() { return impl_->random; }

bool SimExecutor::step() {
  auto work = impl_->take_posted();
  if (!work) {
    const Instant next = impl_->timers.next();
    if (next == Instant::never()) {
      return false;
    }
    impl_->clock.jump(next);
    work = impl_->timers.take_due(impl_->clock.instant());
  }
  Executor* const before = current();
  set_current(this);
  work();
  set_current(before);
  return true;
}

void SimExecutor::advance(Duration span) {
  const Instant end = impl_->clock.instant() + span;
  for (;;) {
    bool posted = false;
    {
      std::lock_guard lock(impl_->mutex);
      posted = !impl_->queue.empty();
    }
    if (!posted && impl_->timers.next() > end) {
      break;
    }
    step();
  }
  impl_->clock.jump(end);
}

bool SimExecutor::run_until_idle(std::uint64_t steps_max) {
  for (std::uint64_t steps = 0; steps < steps_max; ++steps) {
    if (!step()) {
      return true;
    }
  }
  return false;
}

void SimExecutor::run_void(Task<void> task) {
  const auto ended = std::make_shared<bool>(false);
  detail::start_root(*this, std::move(task), [ended] { *ended = true; });
  while (!*ended) {
    const bool stepped = step();
    AIOS_ASSERT(stepped && "the loop is idle but the task has not ended");
  }
}

}  // namespace aios::runtime

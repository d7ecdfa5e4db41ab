// SPDX-License-Identifier: Apache-2.0
#pragma once
// runtime/sim: the simulated executor. One thread, a clock that jumps to the next timer, random
// from a seed: the same seed gives the same run. Used by unit tests and by tests/sim.

#include "runtime/executor.h"
#include "runtime/shards.h"
#include "runtime/task.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace aios::runtime {

class SimExecutor final : public Executor {
 public:
  explicit SimExecutor(std::uint64_t seed = 1, Time start = {1'790'000'000'000'000'000});
  ~SimExecutor() override;
  void post(std::function<void()> work) override;
  void post(std::coroutine_handle<> handle) override;
  TimerId call_at(Instant at, std::function<void()> work) override;
  void cancel(TimerId timer) override;
  Clock& clock() override;
  Random& random() override;

  /// Runs one queued item, or jumps to the next timer; false when there is neither.
  bool step();
  /// Runs everything due up to now + span, then sets the clock there.
  void advance(Duration span);
  /// Runs until idle (no queue, no timer) or until `steps_max` items ran; false at the bound.
  bool run_until_idle(std::uint64_t steps_max = 10'000'000);
  /// Runs a task to its end, jumping over waits. Fails the process when the loop is idle before the
  /// end.
  template <class T>
  T run(Task<T> task) {
    if constexpr (std::is_void_v<T>) {
      run_void(std::move(task));
    } else {
      std::optional<T> slot;
      run_void(detail::store_result(std::move(task), &slot));
      return std::move(*slot);
    }
  }

 private:
  void run_void(Task<void> task);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::runtime

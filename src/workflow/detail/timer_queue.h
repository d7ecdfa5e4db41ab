// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/timer_queue: when which run is to be woken. The store holds all wake-ups; memory
// holds the earliest (at most `capacity`), so a million sleeping runs cost memory only as their
// time comes near. Threading: add() from any thread; everything else happens on the executor.

#include "core/context.h"
#include "runtime/executor.h"
#include "runtime/one_shot.h"
#include "runtime/task.h"
#include "runtime/task_group.h"
#include "store/store.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>

namespace aios::workflow {

class TimerQueue : public std::enable_shared_from_this<TimerQueue> {
 public:
  /// Wakes one run. Must call `done` once, from any thread, when the run is in memory or cannot be
  /// had.
  using Wake = std::function<void(const TenantId& tenant, const std::string& run_id,
                                  std::function<void()> done)>;
  struct Options {
    std::uint32_t capacity = 10'000;
    std::uint32_t waking_max = 256;  ///< runs being read at once
  };
  TimerQueue(store::Store& store, runtime::Executor& executor, Wake wake, Options options);

  void add(const TenantId& tenant, const std::string& run_id, Time at);
  /// First reading of the store; wake-ups begin.
  Task<Result<void>> start();
  /// Nothing is woken any more. join() the rest.
  Task<void> stop();

 private:
  using Key = std::tuple<std::int64_t, TenantId, std::string>;
  void insert(const TenantId& tenant, const std::string& run_id, Time at);
  void schedule();
  void fire();
  Task<void> reload();
  Task<Result<void>> read();

  store::Store& store_;
  runtime::Executor& executor_;
  Wake wake_;
  Options options_;
  std::set<Key> queue_;
  std::optional<std::int64_t> horizon_;  // the store has more from here on
  std::optional<Instant> read_at_;
  std::optional<runtime::Executor::TimerId> timer_;
  std::uint32_t waking_ = 0;
  bool started_ = false;
  bool stopped_ = false;
  bool reading_ = false;
  std::unique_ptr<runtime::TaskGroup> group_;
};

}  // namespace aios::workflow

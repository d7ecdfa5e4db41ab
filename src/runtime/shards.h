// SPDX-License-Identifier: Apache-2.0
#pragma once
// runtime/shards: the real executors (one Asio io_context a thread) and the pool for blocking
// calls.

#include "core/context.h"
#include "runtime/executor.h"
#include "runtime/one_shot.h"
#include "runtime/task.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace aios::runtime {

class Shards {
 public:
  /// @param count  1 to 64 threads. They run until stop().
  explicit Shards(std::size_t count);
  ~Shards();  ///< stop(), then join
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;

  std::size_t count() const;
  Executor& at(std::size_t index);
  /// The shard of a key: stable for the life of the process.
  Executor& of(std::string_view key);
  /// Ends the loops once their present work items are done; parked coroutines are not resumed.
  void stop();
  /// Runs a task on a shard and waits for its end on the calling thread (start-up, the command
  /// line, tests).
  template <class T>
  T run(std::size_t index, Task<T> task);

  /// The io_context of a shard, as void*, for net/ alone (Asio is named nowhere else).
  void* io_context(std::size_t index);
  static void* current_io_context();

 private:
  void run_void(std::size_t index, Task<void> task);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Threads for calls that block (disk, DNS, training). Queue bound 1,024: at the bound,
/// resource_exhausted.
class BlockingPool {
 public:
  explicit BlockingPool(std::size_t threads);
  ~BlockingPool();  ///< as stop()
  /// Runs what is queued, then joins; takes nothing from then on. Call it while what the calls use
  /// still lives.
  void stop();
  bool try_post(std::function<void()> work);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Runs fn on the pool and resumes here. ctx ends the wait, not the call: capture values, not
/// references.
template <class T>
Task<Result<T>> blocking(Context ctx, BlockingPool& pool, std::function<Result<T>()> fn) {
  OneShot<T> done;
  const bool queued = pool.try_post([done, fn = std::move(fn)] { done.set(fn()); });
  if (!queued) {
    co_return Error(Code::resource_exhausted, "the pool for blocking calls has 1024 calls waiting",
                    Retry::same_call)
        .page(201);
  }
  auto result = co_await done.wait(std::move(ctx));
  co_return result;
}

namespace detail {
template <class T>
Task<void> store_result(Task<T> task, std::optional<T>* slot) {
  auto value = co_await std::move(task);
  slot->emplace(std::move(value));
}
}  // namespace detail

template <class T>
T Shards::run(std::size_t index, Task<T> task) {
  if constexpr (std::is_void_v<T>) {
    run_void(index, std::move(task));
  } else {
    std::optional<T> slot;
    run_void(index, detail::store_result(std::move(task), &slot));
    return std::move(*slot);
  }
}

}  // namespace aios::runtime

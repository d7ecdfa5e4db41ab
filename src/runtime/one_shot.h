// SPDX-License-Identifier: Apache-2.0
#pragma once
// runtime/one_shot: a value set once, from any thread, awaited once by a coroutine. The bridge from
// callbacks (commit answered, socket ready, thread finished) to coroutines. Copies share the state.

#include "core/context.h"
#include "core/result.h"
#include "runtime/executor.h"
#include "runtime/task.h"

#include <coroutine>
#include <memory>
#include <mutex>
#include <optional>

namespace aios::runtime {

/// The awaiting coroutine resumes on the executor on which it awaited, after set() or when ctx is
/// cancelled or its deadline passes, whichever comes first; then a later set() is ignored.
/// T is the value of a Result: wait() gives Result<T>.
template <class T>
class OneShot {
 public:
  OneShot() : state_(std::make_shared<State>()) {}
  /// First call wins; true when it did. Thread-safe; resumes the waiter by posting.
  bool set(Result<T> value) const { return State::finish(state_, std::move(value)); }
  Task<Result<T>> wait(Context ctx) const { return wait_on(state_, std::move(ctx)); }

 private:
  struct State {
    std::mutex mutex;
    std::optional<Result<T>> value;
    std::coroutine_handle<> waiter;
    Executor* executor = nullptr;

    static bool finish(const std::shared_ptr<State>& state, Result<T> result) {
      std::coroutine_handle<> waiter;
      Executor* executor = nullptr;
      {
        std::lock_guard lock(state->mutex);
        if (state->value) {
          return false;
        }
        state->value.emplace(std::move(result));
        waiter = std::exchange(state->waiter, nullptr);
        executor = state->executor;
      }
      if (waiter) {
        executor->post(waiter);
      }
      return true;
    }
  };
  struct Awaiter {
    State& state;
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> handle) {
      std::lock_guard lock(state.mutex);
      if (state.value) {
        return false;
      }
      state.executor = Executor::current();
      AIOS_ASSERT(state.executor != nullptr);
      state.waiter = handle;
      return true;
    }
    void await_resume() const noexcept {}
  };
  static Task<Result<T>> wait_on(std::shared_ptr<State> state, Context ctx) {
    Executor* executor = Executor::current();
    Executor::TimerId timer = 0;
    if (ctx.deadline != Instant::never() && executor != nullptr) {
      timer = executor->call_at(ctx.deadline, [state] {
        State::finish(state,
                      Error(Code::deadline_exceeded, "the deadline passed", Retry::same_call));
      });
    }
    std::uint64_t registration = 0;
    if (ctx.cancel) {
      registration = ctx.cancel->on_cancel(
          [state] { State::finish(state, Error(Code::cancelled, "cancelled")); });
    }
    Awaiter awaiter{*state};
    co_await awaiter;
    if (timer != 0) {
      executor->cancel(timer);
    }
    if (ctx.cancel) {
      ctx.cancel->remove(registration);
    }
    std::lock_guard lock(state->mutex);
    co_return std::move(*state->value);
  }
  std::shared_ptr<State> state_;
};

/// Ends early with cancelled or deadline_exceeded. Never resumes before `pause` has passed on the
/// executor's clock.
Task<Result<void>> sleep_for(Context ctx, Duration pause);
/// Lets other work of this executor run.
Task<void> yield();

}  // namespace aios::runtime

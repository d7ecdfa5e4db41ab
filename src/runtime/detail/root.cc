// SPDX-License-Identifier: Apache-2.0
#include "runtime/detail/root.h"

namespace aios::runtime::detail {
namespace {

struct Root {
  struct promise_type;
  using Handle = std::coroutine_handle<promise_type>;

  struct Final {
    bool await_ready() const noexcept { return false; }
    void await_suspend(Handle handle) noexcept;
    void await_resume() const noexcept {}
  };
  struct promise_type {
    std::function<void()> ended;
    Root get_return_object() { return {Handle::from_promise(*this)}; }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    Final final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
  Handle frame;
};

void Root::Final::await_suspend(Handle handle) noexcept {
  // Copied out first: the frame, and this awaiter in it, end here.
  const std::function<void()> ended = std::move(handle.promise().ended);
  handle.destroy();
  ended();
}

Root run_root(Task<void> task) { co_await std::move(task); }

}  // namespace

void start_root(Executor& executor, Task<void> task, std::function<void()> ended) {
  Root root = run_root(std::move(task));
  root.frame.promise().ended = std::move(ended);
  executor.post(std::coroutine_handle<>(root.frame));
}

}  // namespace aios::runtime::detail

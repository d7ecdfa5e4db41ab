// SPDX-License-Identifier: Apache-2.0
#include "runtime/one_shot.h"

#include <algorithm>

namespace aios::runtime {
namespace {

struct Wake {};

struct YieldAwaiter {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) const {
    Executor* executor = Executor::current();
    AIOS_ASSERT(executor != nullptr);
    executor->post(handle);
  }
  void await_resume() const noexcept {}
};

}  // namespace

Task<Result<void>> sleep_for(Context ctx, Duration pause) {
  Executor* executor = Executor::current();
  AIOS_ASSERT(executor != nullptr);
  OneShot<Wake> wake;
  const Duration wait = std::max(pause, Duration(0));
  const auto timer =
      executor->call_at(executor->clock().instant() + wait, [wake] { wake.set(Wake()); });
  auto woken = co_await wake.wait(std::move(ctx));
  executor->cancel(timer);
  if (!woken.ok()) {
    co_return std::move(woken).error();
  }
  co_return Result<void>();
}

Task<void> yield() {
  YieldAwaiter awaiter;
  co_await awaiter;
}

}  // namespace aios::runtime

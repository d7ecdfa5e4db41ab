// SPDX-License-Identifier: Apache-2.0
#include "runtime/one_shot.h"

namespace aios::runtime {
namespace {

struct Requeue {
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
  OneShot<void> passed;
  const Instant end = executor->clock().instant() + pause;
  const auto timer = executor->call_at(end, [passed] { passed.set(Result<void>()); });
  auto result = co_await passed.wait(std::move(ctx));
  executor->cancel(timer);
  co_return result;
}

Task<void> yield() {
  Requeue requeue;
  co_await requeue;
}

}  // namespace aios::runtime

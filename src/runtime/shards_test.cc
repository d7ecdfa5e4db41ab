// SPDX-License-Identifier: Apache-2.0
#include "runtime/shards.h"

#include "runtime/task_group.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

namespace aios::runtime {
namespace {

Task<std::thread::id> where() {
  co_await yield();
  co_return std::this_thread::get_id();
}

Task<Result<int>> set_from(BlockingPool* pool, int value) {
  Context ctx;
  std::function<Result<int>()> work = [value] { return Result<int>(value + 1); };
  auto result = co_await blocking(std::move(ctx), *pool, std::move(work));
  co_return result;
}

Task<void> ping(OneShot<int> mine, OneShot<int> theirs, std::atomic<int>* sum) {
  theirs.set(1);
  Context ctx;
  auto got = co_await mine.wait(std::move(ctx));
  *sum += got.ok() ? *got : 0;
}

Task<void> pass_the_ball(Shards* shards, std::atomic<int>* sum) {
  TaskGroup here(shards->at(0));
  for (int i = 0; i < 200; ++i) {
    OneShot<int> a;
    OneShot<int> b;
    here.spawn(ping(a, b, sum));
    shards->at(1).post(std::function<void()>([a, b] {
      a.set(2);
      b.set(2);
    }));
  }
  co_await here.join();
}

TEST_CASE("shards: a task runs on its shard's thread") {
  Shards shards(2);
  const auto first = shards.run(0, where());
  CHECK(first != std::this_thread::get_id());
  CHECK(first != shards.run(1, where()));
  CHECK(first == shards.run(0, where()));
  CHECK(&shards.of("run_1") == &shards.of("run_1"));
  CHECK(Shards::current_io_context() == nullptr);
  CHECK(shards.io_context(0) != shards.io_context(1));
}

TEST_CASE("shards: values cross threads") {
  Shards shards(2);
  std::atomic<int> sum{0};
  shards.run(0, pass_the_ball(&shards, &sum));
  CHECK(sum == 400);
}

TEST_CASE("shards: timers fire in order, a cancelled one does not") {
  Shards shards(1);
  std::string log;
  OneShot<int> done;
  shards.at(0).post(std::function<void()>([&] {
    Executor& self = shards.at(0);
    const Instant now = self.clock().instant();
    self.call_at(now + std::chrono::milliseconds(3), [&log, done] {
      log += "c";
      done.set(1);
    });
    self.call_at(now + std::chrono::milliseconds(1), [&log] { log += "a"; });
    const auto gone = self.call_at(now + std::chrono::milliseconds(2), [&log] { log += "b"; });
    self.cancel(gone);
  }));
  Context ctx;
  auto result = shards.run(0, done.wait(std::move(ctx)));
  CHECK(result.ok());
  CHECK(log == "ac");
}

TEST_CASE("blocking pool: runs elsewhere, comes back, and refuses at its bound") {
  Shards shards(1);
  BlockingPool pool(1);
  CHECK(*shards.run(0, set_from(&pool, 41)) == 42);

  std::atomic<int> ran{0};
  {
    std::atomic<bool> hold{true};
    std::atomic<bool> held{false};
    BlockingPool small(1);  // last: its end runs what is queued
    REQUIRE(small.try_post([&] {
      held = true;
      held.notify_all();
      hold.wait(true);
    }));
    held.wait(false);
    for (int i = 0; i < 1024; ++i) {
      REQUIRE(small.try_post([&ran] { ++ran; }));
    }
    CHECK(!small.try_post([&ran] { ++ran; }));
    hold = false;
    hold.notify_all();
  }
  CHECK(ran == 1024);
}

}  // namespace
}  // namespace aios::runtime

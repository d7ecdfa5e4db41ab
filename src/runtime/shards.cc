// SPDX-License-Identifier: Apache-2.0
#include "runtime/shards.h"

#include "core/crypto.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace aios::runtime {
namespace {

namespace asio = boost::asio;

class Shard final : public Executor {
 public:
  Shard() : io_(1), work_(io_.get_executor()) {}

  void run() {
    set_current(this);
    io_.run();
    set_current(nullptr);
  }
  void stop() { io_.stop(); }
  asio::io_context& io() { return io_; }

  void post(std::function<void()> work) override { asio::post(io_, std::move(work)); }
  void post(std::coroutine_handle<> handle) override {
    asio::post(io_, [handle] { handle.resume(); });
  }
  TimerId call_at(Instant at, std::function<void()> work) override {
    AIOS_ASSERT(Executor::current() == this);
    const TimerId id = ++last_timer_;
    auto timer = std::make_unique<asio::steady_timer>(
        io_, std::chrono::steady_clock::time_point(Duration(at.ns)));
    timer->async_wait([this, id, work = std::move(work)](const boost::system::error_code& error) {
      timers_.erase(id);
      if (!error) {
        work();
      }
    });
    timers_.emplace(id, std::move(timer));
    return id;
  }
  void cancel(TimerId id) override {
    AIOS_ASSERT(Executor::current() == this);
    timers_.erase(id);  // destroying the timer cancels the wait
  }
  Clock& clock() override { return system_clock(); }
  Random& random() override { return system_random(); }

 private:
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::unordered_map<TimerId, std::unique_ptr<asio::steady_timer>> timers_;
  TimerId last_timer_ = 0;
};

}  // namespace

struct Shards::Impl {
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<std::thread> threads;

  void stop() {
    for (auto& shard : shards) {
      shard->stop();
    }
    for (auto& thread : threads) {
      if (thread.joinable()) {
        thread.join();
      }
    }
  }
};

Shards::Shards(std::size_t count) : impl_(std::make_unique<Impl>()) {
  AIOS_ASSERT(count >= 1 && count <= 64);
  for (std::size_t i = 0; i < count; ++i) {
    impl_->shards.push_back(std::make_unique<Shard>());
  }
  for (auto& shard : impl_->shards) {
    impl_->threads.emplace_back([loop = shard.get()] { loop->run(); });
  }
}

Shards::~Shards() { impl_->stop(); }
std::size_t Shards::count() const { return impl_->shards.size(); }
Executor& Shards::at(std::size_t index) { return *impl_->shards.at(index); }

Executor& Shards::of(std::string_view key) {
  const Digest digest = sha256(key);
  return *impl_->shards[digest[0] % impl_->shards.size()];
}

void Shards::stop() { impl_->stop(); }
void* Shards::io_context(std::size_t index) { return &impl_->shards.at(index)->io(); }

void* Shards::current_io_context() {
  auto* shard = dynamic_cast<Shard*>(Executor::current());
  return shard == nullptr ? nullptr : &shard->io();
}

namespace {

struct Done {
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
};

Task<void> notify(Task<void> task, Done* done) {
  co_await std::move(task);
  std::lock_guard lock(done->mutex);
  done->ended = true;
  done->changed.notify_all();
}

}  // namespace

void Shards::run_void(std::size_t index, Task<void> task) {
  AIOS_ASSERT(Executor::current() == nullptr);  // a shard that waits for itself never ends
  Done done;
  Task<void> root = notify(std::move(task), &done);
  Executor& executor = at(index);
  executor.post([&root] { root.start(); });
  {
    std::unique_lock lock(done.mutex);
    done.changed.wait(lock, [&done] { return done.ended; });
  }
  // The frame ends on the shard's thread: destroy it only after that thread has left it.
  std::mutex left;
  std::condition_variable gone;
  bool clear = false;
  executor.post([&] {
    std::lock_guard lock(left);
    clear = true;
    gone.notify_all();
  });
  std::unique_lock lock(left);
  gone.wait(lock, [&clear] { return clear; });
}

struct BlockingPool::Impl {
  static constexpr std::size_t queue_max = 1024;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> queue;
  std::vector<std::thread> threads;
  bool stopping = false;

  void work() {
    for (;;) {
      std::function<void()> next;
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return stopping || !queue.empty(); });
        if (queue.empty()) {
          return;
        }
        next = std::move(queue.front());
        queue.pop_front();
      }
      next();
    }
  }
};

BlockingPool::BlockingPool(std::size_t threads) : impl_(std::make_unique<Impl>()) {
  for (std::size_t i = 0; i < threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get()] { impl->work(); });
  }
}

BlockingPool::~BlockingPool() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  for (auto& thread : impl_->threads) {
    thread.join();
  }
}

bool BlockingPool::try_post(std::function<void()> work) {
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->stopping || impl_->queue.size() >= Impl::queue_max) {
      return false;
    }
    impl_->queue.push_back(std::move(work));
  }
  impl_->changed.notify_one();
  return true;
}

}  // namespace aios::runtime

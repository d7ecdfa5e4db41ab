// SPDX-License-Identifier: Apache-2.0
#include "runtime/shards.h"

#include "runtime/detail/root.h"
#include "runtime/detail/timer_queue.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <condition_variable>
#include <thread>
#include <vector>

namespace aios::runtime {
namespace {

/// One thread with one io_context. All timers hang on one Asio timer, armed for the earliest.
class Shard final : public Executor {
 public:
  Shard() : work_(boost::asio::make_work_guard(io_)), timer_(io_) {}
  ~Shard() override = default;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  void start() {
    thread_ = std::thread([this] {
      set_current(this);
      io_.run();
      set_current(nullptr);
    });
  }
  void stop() {
    boost::asio::post(io_, [this] { io_.stop(); });
  }
  void join() {
    AIOS_ASSERT(current() != this);
    thread_.join();
  }
  void post(std::function<void()> work) override { boost::asio::post(io_, std::move(work)); }
  void post(std::coroutine_handle<> handle) override {
    boost::asio::post(io_, [handle] { handle.resume(); });
  }
  TimerId call_at(Instant at, std::function<void()> work) override {
    AIOS_ASSERT(current() == this);
    const TimerId timer = timers_.add(at, std::move(work));
    arm();
    return timer;
  }
  void cancel(TimerId timer) override {
    AIOS_ASSERT(current() == this);
    timers_.cancel(
        timer);  // the armed timer may fire for nothing; that is cheaper than to arm it anew
  }
  Clock& clock() override { return system_clock(); }
  Random& random() override { return system_random(); }
  boost::asio::io_context& io() { return io_; }

 private:
  void arm() {
    const Instant next = timers_.next();
    if (next >= armed_) {
      return;
    }
    armed_ = next;
    timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(next.ns)));
    timer_.async_wait([this](const boost::system::error_code& failure) {
      if (!failure) {
        fire();
      }
    });
  }
  void fire() {
    armed_ = Instant::never();
    const Instant now =
        clock().instant();  // fixed here: work that adds due work does not keep the loop
    for (auto work = timers_.take_due(now); work; work = timers_.take_due(now)) {
      work();
    }
    arm();
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  detail::TimerQueue timers_;
  Instant armed_ = Instant::never();
  std::thread thread_;
};

}  // namespace

struct Shards::Impl {
  std::vector<std::unique_ptr<Shard>> shards;
};

Shards::Shards(std::size_t count) : impl_(std::make_unique<Impl>()) {
  AIOS_ASSERT(count >= 1 && count <= 64);
  for (std::size_t i = 0; i < count; ++i) {
    impl_->shards.push_back(std::make_unique<Shard>());
  }
  for (const auto& shard : impl_->shards) {
    shard->start();
  }
}

Shards::~Shards() {
  stop();
  for (const auto& shard : impl_->shards) {
    shard->join();  // all, before one is destroyed: they post to each other
  }
}

std::size_t Shards::count() const { return impl_->shards.size(); }

Executor& Shards::at(std::size_t index) {
  AIOS_ASSERT(index < impl_->shards.size());
  return *impl_->shards[index];
}

Executor& Shards::of(std::string_view key) {
  return *impl_->shards[std::hash<std::string_view>()(key) % impl_->shards.size()];
}

void Shards::stop() {
  for (const auto& shard : impl_->shards) {
    shard->stop();
  }
}

void* Shards::io_context(std::size_t index) {
  AIOS_ASSERT(index < impl_->shards.size());
  return &impl_->shards[index]->io();
}

void* Shards::current_io_context() {
  auto* shard = dynamic_cast<Shard*>(Executor::current());
  return shard == nullptr ? nullptr : &shard->io();
}

void Shards::run_void(std::size_t index, Task<void> task) {
  Executor& executor = at(index);
  AIOS_ASSERT(Executor::current() != &executor);  // it would wait for itself
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
  };
  const auto gate = std::make_shared<Gate>();
  detail::start_root(executor, std::move(task), [gate] {
    std::lock_guard lock(gate->mutex);
    gate->open = true;
    gate->changed.notify_all();
  });
  std::unique_lock lock(gate->mutex);
  gate->changed.wait(lock, [&gate] { return gate->open; });
}

}  // namespace aios::runtime

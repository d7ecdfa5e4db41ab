// SPDX-License-Identifier: Apache-2.0
#include "runtime/shards.h"

#include <condition_variable>
#include <deque>
#include <thread>
#include <vector>

namespace aios::runtime {
namespace {

constexpr std::size_t queue_max = 1024;

}  // namespace

struct BlockingPool::Impl {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> queue;
  bool ending = false;
  std::vector<std::thread> threads;

  void serve() {
    for (;;) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return ending || !queue.empty(); });
      if (queue.empty()) {
        return;
      }
      const auto work = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      work();
    }
  }
};

BlockingPool::BlockingPool(std::size_t threads) : impl_(std::make_unique<Impl>()) {
  AIOS_ASSERT(threads >= 1 && threads <= 256);
  for (std::size_t i = 0; i < threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get()] { impl->serve(); });
  }
}

BlockingPool::~BlockingPool() { stop(); }

void BlockingPool::stop() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->ending = true;
  }
  impl_->changed.notify_all();
  for (auto& thread : impl_->threads) {
    thread.join();
  }
  impl_->threads.clear();
}

bool BlockingPool::try_post(std::function<void()> work) {
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->ending || impl_->queue.size() >= queue_max) {
      return false;
    }
    impl_->queue.push_back(std::move(work));
  }
  impl_->changed.notify_one();
  return true;
}

}  // namespace aios::runtime

// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/timer_queue.h"

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

// The wall clock may be set: look at it again at least this often.
constexpr Duration look_again = std::chrono::minutes(10);
// Runs that stay due are read again and again: at least this far apart.
constexpr Duration read_pause = std::chrono::milliseconds(100);
constexpr Duration failed_pause = std::chrono::seconds(1);

}  // namespace

TimerQueue::TimerQueue(store::Store& store, runtime::Executor& executor, Wake wake, Options options)
    : store_(store),
      executor_(executor),
      wake_(std::move(wake)),
      options_(options) {}

void TimerQueue::add(const TenantId& tenant, const std::string& run_id, Time at) {
  executor_.post([self = shared_from_this(), tenant, run_id, at] {
    if (self->started_ && !self->stopped_) {  // before the first reading the store tells of it
      self->insert(tenant, run_id, at);
      self->schedule();
    }
  });
}

void TimerQueue::insert(const TenantId& tenant, const std::string& run_id, Time at) {
  if (horizon_ && at.ns >= *horizon_) {
    return;  // in the store, and read from there when its time comes near
  }
  queue_.insert(Key(at.ns, tenant, run_id));
  if (queue_.size() > options_.capacity) {
    const auto last = std::prev(queue_.end());
    horizon_ = std::get<0>(*last);
    queue_.erase(last);
  }
}

Task<Result<void>> TimerQueue::start() {
  group_ = std::make_unique<runtime::TaskGroup>(executor_);
  started_ = true;
  auto done = co_await read();
  if (done.ok()) {
    schedule();
  }
  co_return done;
}

Task<Result<void>> TimerQueue::read() {
  reading_ = true;
  read_at_ = executor_.clock().instant();
  const Context ctx;
  const Time last{INT64_MAX};
  auto found = co_await store_.due(ctx, last, options_.capacity);
  reading_ = false;
  if (!found.ok()) {
    co_return std::move(found).error();
  }
  horizon_.reset();
  for (const auto& wake_up : *found) {
    if (wake_up.kind == store::StreamKind::run) {
      queue_.insert(Key(wake_up.at.ns, wake_up.tenant, wake_up.id));
    }
  }
  if (found->size() >= options_.capacity) {
    horizon_ = found->back().at.ns + 1;
  }
  co_return Result<void>();
}

Task<void> TimerQueue::reload() {
  reading_ = true;
  const Context forever;
  const Duration passed = executor_.clock().instant() - *read_at_;
  if (passed < read_pause) {
    const Duration pause = read_pause - passed;
    auto rested = co_await runtime::sleep_for(forever, pause);
    (void)rested;
  }
  auto done = co_await read();
  if (!done.ok()) {
    reading_ = true;
    auto rested = co_await runtime::sleep_for(forever, failed_pause);
    (void)rested;
    reading_ = false;
  }
  schedule();
}

void TimerQueue::schedule() {
  if (timer_) {
    executor_.cancel(*timer_);
    timer_.reset();
  }
  if (stopped_ || reading_ || waking_ >= options_.waking_max) {
    return;
  }
  const auto now = executor_.clock().now();
  const auto instant = executor_.clock().instant();
  if (queue_.empty()) {
    if (horizon_ && waking_ == 0) {
      group_->spawn(reload());
    }
    return;
  }
  const auto pause =
      std::clamp(Duration(std::get<0>(*queue_.begin()) - now.ns), Duration(0), look_again);
  timer_ = executor_.call_at(instant + pause, [self = shared_from_this()] {
    self->timer_.reset();
    self->fire();
  });
}

void TimerQueue::fire() {
  const auto now = executor_.clock().now();
  while (!stopped_ && !queue_.empty() && waking_ < options_.waking_max &&
         std::get<0>(*queue_.begin()) <= now.ns) {
    const auto key = *queue_.begin();
    queue_.erase(queue_.begin());
    ++waking_;
    wake_(std::get<1>(key), std::get<2>(key), [self = shared_from_this()] {
      self->executor_.post([self] {
        --self->waking_;
        self->schedule();
      });
    });
  }
  schedule();
}

Task<void> TimerQueue::stop() {
  stopped_ = true;
  if (timer_) {
    executor_.cancel(*timer_);
    timer_.reset();
  }
  queue_.clear();
  if (group_) {
    co_await group_->join();
  }
}

}  // namespace aios::workflow

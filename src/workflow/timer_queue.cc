// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/timer_queue.h"

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

// Whether the wall clock was set is looked at this often at least.
constexpr Duration look_again = std::chrono::minutes(10);
// Runs that stay due are read again and again: at least this far apart.
constexpr Duration read_pause = std::chrono::milliseconds(100);
constexpr Duration failed_pause = std::chrono::seconds(1);
// Whether a tenant is held still.
constexpr Duration held_look = std::chrono::seconds(1);
// How much more is read where held tenants have most of what is due: each time, and at most.
constexpr std::uint32_t wider = 4;
constexpr std::uint32_t read_max = 16;
// Clocks that are only kept in step drift by less: not worth a line.
constexpr Duration step_least = std::chrono::seconds(1);

}  // namespace

TimerQueue::TimerQueue(store::Store& store, runtime::Executor& executor, Places places, Wake wake,
                       Options options)
    : store_(store),
      executor_(executor),
      places_(std::move(places)),
      wake_(std::move(wake)),
      options_(std::move(options)),
      wall_ns_(executor_.clock().now().ns),
      steady_ns_(executor_.clock().instant().ns) {}

/// The wall clock, had nobody set it since the queue was made.
std::int64_t TimerQueue::steady_now() const {
  return wall_ns_ + (executor_.clock().instant().ns - steady_ns_);
}

/// What a time of the wall clock lacks to be one of steady_now().
TimerQueue::Setting TimerQueue::setting() const {
  return {steady_now() - executor_.clock().now().ns};
}

/// The same, and somebody is told where it is another one.
std::int64_t TimerQueue::skew() {
  const auto found = setting().skew;
  const Duration step(skew_ - found);
  skew_ = found;
  if (options_.clock_was_set && (step > step_least || step < -step_least)) {
    options_.clock_was_set(step);
  }
  return skew_;
}

void TimerQueue::add(const TenantId& tenant, const std::string& run_id, Time at) {
  add(tenant, run_id, at, setting());
}

void TimerQueue::add(const TenantId& tenant, const std::string& run_id, Time at, Setting asked) {
  add(tenant, {store::StreamKind::run, run_id}, at, asked);
}

void TimerQueue::add(const TenantId& tenant, Sleeper sleeper, Time at) {
  add(tenant, std::move(sleeper), at, setting());
}

void TimerQueue::add(const TenantId& tenant, Sleeper sleeper, Time at, Setting asked) {
  executor_.post([self = shared_from_this(), tenant, sleeper = std::move(sleeper), at, asked] {
    if (self->started_ && !self->stopped_) {  // before the first reading the store tells of it
      self->skew();
      self->insert(tenant, sleeper, at.ns, asked);
      self->schedule();
    }
  });
}

void TimerQueue::insert(const TenantId& tenant, Sleeper sleeper, std::int64_t at, Setting asked) {
  const auto [queue, is_new] = queues_.try_emplace(tenant);
  if (is_new && options_.held && options_.held(tenant)) {
    held_.insert(tenant);
  }
  const bool fresh = queue->second.insert({at + asked.skew, std::move(sleeper), at}).second;
  size_ += fresh ? 1 : 0;
  if (size_ > options_.capacity) {
    drop_last();
  }
}

/// The latest of the tenant with the most: it is in the store, and read from there again.
void TimerQueue::drop_last() {
  const auto most = std::max_element(
      queues_.begin(), queues_.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  const auto last = std::prev(most->second.end());
  if (held_.contains(most->first)) {
    left_out_.insert(most->first);  // read again when it is let go, for nobody waits for it before
  } else {
    horizon_ = std::min(horizon_.value_or(INT64_MAX), last->due);
  }
  most->second.erase(last);
  --size_;
  if (most->second.empty()) {
    queues_.erase(most);
  }
}

/// Of those that are not held; INT64_MAX: none.
std::int64_t TimerQueue::earliest() const {
  std::int64_t at = INT64_MAX;
  for (const auto& [tenant, due] : queues_) {
    at = held_.contains(tenant) ? at : std::min(at, due.begin()->due);
  }
  return at;
}

/// Whoever is held no longer.
void TimerQueue::let_go() {
  bool read_again = false;
  std::erase_if(held_, [&](const TenantId& tenant) {
    const bool free = !options_.held(tenant);
    read_again = (free && left_out_.erase(tenant) != 0) || read_again;
    return free;
  });
  if (read_again) {
    horizon_ = INT64_MIN;  // schedule() reads
  }
}

Task<Result<void>> TimerQueue::start() {
  if (!started_) {  // else it is asked again after a reading that failed
    started_ = true;
    group_ = std::make_unique<runtime::TaskGroup>(executor_);
    places_.on_free([weak = weak_from_this(), &executor = executor_] {
      executor.post([weak] {
        if (const auto self = weak.lock()) {
          self->fire();
        }
      });
    });
  }
  auto done = co_await read();
  if (done.ok()) {
    schedule();
  }
  co_return done;
}

/// The earliest; so many that what held tenants have does not stand before the others'.
Task<Result<std::vector<store::WakeUp>>> TimerQueue::read_all(Context ctx) {
  const Time last{INT64_MAX};
  std::set<TenantId> known;
  for (read_limit_ = options_.capacity;; read_limit_ *= wider) {
    auto found = co_await store_.due(ctx, last, read_limit_);
    if (!found.ok() || found->size() < read_limit_ || read_limit_ > options_.capacity * read_max) {
      co_return found;
    }
    std::size_t waiting = 0;  // for nobody but time
    for (const auto& wake_up : *found) {
      if (known.insert(wake_up.tenant).second && options_.held && options_.held(wake_up.tenant)) {
        held_.insert(wake_up.tenant);
      }
      waiting += held_.contains(wake_up.tenant) ? 0 : 1;
    }
    if (waiting * 2 >= options_.capacity || waiting == found->size()) {
      co_return found;
    }
  }
}

Task<Result<void>> TimerQueue::read() {
  reading_ = true;
  read_at_ = executor_.clock().instant();
  const Context ctx;
  auto found = co_await read_all(ctx);
  reading_ = false;
  if (!found.ok()) {
    co_return std::move(found).error();
  }
  horizon_.reset();
  for (const auto& wake_up : *found) {
    if (wake_up.kind == store::StreamKind::run || wake_up.kind == store::StreamKind::kept_event) {
      insert(wake_up.tenant, {wake_up.kind, wake_up.id}, wake_up.at.ns, {skew()});
    }
  }
  if (found->size() >= read_limit_) {
    horizon_ = std::min(horizon_.value_or(INT64_MAX), found->back().at.ns + 1 + skew());
  }
  co_return Result<void>();
}

Task<void> TimerQueue::reload() {
  reading_ = true;
  const Context forever;
  const Duration passed = executor_.clock().instant() - *read_at_;
  const Duration least = read_limit_ > options_.capacity ? held_look : read_pause;
  if (passed < least) {
    const Duration pause = least - passed;
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
  if (stopped_ || reading_ || !started_) {
    return;
  }
  if (horizon_ && earliest() >= *horizon_) {
    reading_ = true;  // from now on, not only once it runs
    group_->spawn(reload());
    return;
  }
  const auto now = steady_now();
  std::int64_t next = INT64_MAX;
  if (!held_.empty()) {
    next = now + held_look.count();
  }
  for (const auto& [tenant, due] : queues_) {
    const auto at = held_.contains(tenant) ? INT64_MAX : due.begin()->due;
    if (at > now || !places_.waits(tenant)) {  // else a place that becomes free wakes it
      next = std::min(next, at);
    }
  }
  if (next == INT64_MAX) {
    return;
  }
  const auto pause = std::clamp(Duration(next > now ? next - now : 0), Duration(0), look_again);
  timer_ = executor_.call_at(executor_.clock().instant() + pause, [self = shared_from_this()] {
    self->timer_.reset();
    self->fire();
  });
}

void TimerQueue::fire() {
  skew();  // also where nothing new waits somebody is told
  let_go();
  const auto now = steady_now();
  std::size_t passed = 0;  // tenants in a row that nothing can be done for
  while (!stopped_ && passed < queues_.size()) {
    auto turn = queues_.upper_bound(last_);
    if (turn == queues_.end()) {
      turn = queues_.begin();
    }
    last_ = turn->first;
    passed = wake_first(last_, turn->second, now) ? 0 : passed + 1;
    if (turn->second.empty()) {
      queues_.erase(turn);
    }
  }
  schedule();
}

bool TimerQueue::wake_first(const TenantId& tenant, Due& due, std::int64_t now) {
  const auto first = due.begin();
  if (first->due > now || held_.contains(tenant)) {
    return false;
  }
  auto place = places_.take(tenant);
  if (!place) {
    return false;
  }
  const auto entry = *first;
  due.erase(first);
  --size_;
  wake_(tenant, entry.sleeper, Time{entry.at}, std::move(place));
  return true;
}

Task<void> TimerQueue::stop() {
  stopped_ = true;
  if (timer_) {
    executor_.cancel(*timer_);
    timer_.reset();
  }
  queues_.clear();
  size_ = 0;
  if (group_) {
    co_await group_->join();
  }
}

}  // namespace aios::workflow

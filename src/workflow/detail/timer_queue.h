// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/timer_queue: when which run is to be woken, or a kept event's time is over. The
// store holds all wake-ups; memory holds the earliest (at most `capacity`; beyond it the tenant
// with the most gives one up), so a million sleeping runs cost memory only as their time comes
// near. Whoever is due waits for a place; tenants get them in turn. What a tenant is due that is
// held waits until it is not.
// Threading: add() and setting() from any thread; everything else happens on the executor.

#include "core/context.h"
#include "runtime/executor.h"
#include "runtime/one_shot.h"
#include "runtime/task.h"
#include "runtime/task_group.h"
#include "store/store.h"
#include "workflow/detail/places.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace aios::workflow {

class TimerQueue : public std::enable_shared_from_this<TimerQueue> {
 public:
  struct Sleeper {
    store::StreamKind kind = store::StreamKind::run;
    std::string id;
    auto operator<=>(const Sleeper&) const = default;
  };
  /// Wakes one run, which keeps the place until it is parked, has ended or cannot be had; or tells
  /// that a kept event's time is over.
  /// @param at  what was asked for: so much time has passed, whatever the wall clock says
  using Wake = std::function<void(const TenantId& tenant, const Sleeper& sleeper, Time at,
                                  Places::Place place)>;
  struct Options {
    std::uint32_t capacity = 10'000;
    /// Told by how much, when the wall clock was set. What waits goes on as if it had not been.
    std::function<void(Duration step)> clock_was_set{};
    /// Whether nothing of the tenant may be woken now; asked each second as long as it is so.
    std::function<bool(const TenantId& tenant)> held{};
  };
  TimerQueue(store::Store& store, runtime::Executor& executor, Places places, Wake wake,
             Options options);

  /// How the wall clock is set.
  struct Setting {
    std::int64_t skew = 0;
  };
  /// Taken where a time is asked for that is added later, when it is durable: were the wall clock
  /// set meanwhile, the time would be taken for one of the new setting.
  Setting setting() const;
  void add(const TenantId& tenant, const std::string& run_id, Time at);
  void add(const TenantId& tenant, const std::string& run_id, Time at, Setting asked);
  void add(const TenantId& tenant, Sleeper sleeper, Time at);
  /// First reading of the store; wake-ups begin.
  Task<Result<void>> start();
  /// Nothing is woken any more. join() the rest.
  Task<void> stop();

 private:
  struct Entry {
    std::int64_t due = 0;  // by steady_now()
    Sleeper sleeper;
    std::int64_t at = 0;  // by the wall clock, as it was asked for
    auto operator<=>(const Entry&) const = default;
  };
  using Due = std::set<Entry>;
  std::int64_t steady_now() const;
  std::int64_t skew();
  void add(const TenantId& tenant, Sleeper sleeper, Time at, Setting asked);
  void insert(const TenantId& tenant, Sleeper sleeper, std::int64_t at, Setting asked);
  void drop_last();
  void let_go();
  Task<Result<std::vector<store::WakeUp>>> read_all(Context ctx);
  std::int64_t earliest() const;
  void schedule();
  void fire();
  bool wake_first(const TenantId& tenant, Due& due, std::int64_t now);
  Task<void> reload();
  Task<Result<void>> read();

  store::Store& store_;
  runtime::Executor& executor_;
  Places places_;
  Wake wake_;
  Options options_;
  const std::int64_t wall_ns_, steady_ns_;  // when it was made, by the two clocks
  std::int64_t skew_ = 0;                   // of the wall clock as it is set now
  std::map<TenantId, Due> queues_;          // none of them empty
  std::size_t size_ = 0;
  std::set<TenantId> held_;              // as far as they were met
  std::set<TenantId> left_out_;          // of them: the store has more of theirs
  TenantId last_;                        // who was served last
  std::optional<std::int64_t> horizon_;  // the store has more from here on
  std::optional<Instant> read_at_;
  std::uint32_t read_limit_ = 0;  // of that reading
  std::optional<runtime::Executor::TimerId> timer_;
  bool started_ = false;
  bool stopped_ = false;
  bool reading_ = false;
  std::unique_ptr<runtime::TaskGroup> group_;
};

}  // namespace aios::workflow

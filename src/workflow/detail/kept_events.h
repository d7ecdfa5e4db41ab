// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/kept_events: ends the keeping of events that no run took, when their time is over
// or there are too many of a type. Threading: any executor; lifetime: the engine's.

#include "core/context.h"
#include "core/result.h"
#include "observe/log.h"
#include "runtime/task.h"
#include "store/store.h"
#include "workflow/detail/kept_senders.h"
#include "workflow/detail/places.h"
#include "workflow/detail/timer_queue.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace aios::workflow {

class KeptEvents {
 public:
  /// @param log  may be null
  KeptEvents(store::Store& store, observe::Log* log, std::shared_ptr<TimerQueue> timers,
             runtime::Executor& executor)
      : store_(store),
        log_(log),
        timers_(std::move(timers)),
        clock_(executor.clock()) {}

  /// Once it is kept, and nobody took it yet.
  void watch(const TenantId& tenant, const std::string& event_id);
  /// A kept event's wake-up. Whatever goes wrong is tried again; a run may take it meanwhile.
  Task<void> time_is_over(TenantId tenant, std::string event_id, Places::Place place);
  /// Where too many of a type are kept the oldest of who has sent the most give way, a few each
  /// time one is kept: so one sender leaves each other its share. `ctx` is the sender's.
  Task<void> make_room(Context ctx, std::string type, std::string event_id);

 private:
  Task<Result<void>> end(Context ctx, store::StreamRow row, std::string why);
  void warn(const Context& ctx, const std::string& event_id);
  Task<Result<std::vector<std::string>>> giving_way(Context ctx, std::string type);

  KeptSenders senders_;
  store::Store& store_;
  observe::Log* log_;
  std::shared_ptr<TimerQueue> timers_;
  runtime::Clock& clock_;
  std::atomic<std::int64_t> told_ns_{0};  // when the log last had a line
};

}  // namespace aios::workflow

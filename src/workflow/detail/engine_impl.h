// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/engine_impl: what stands behind Engine. One run is driven by one coroutine at a
// time, on its shard; whoever wants to change a run acquires it first. A run is in memory while
// somebody has it, and a bounded number of parked ones after that; the store alone is the truth.

#include "observe/log.h"
#include "review/review.h"
#include "store/store.h"
#include "workflow/detail/definitions.h"
#include "workflow/detail/end_waiters.h"
#include "workflow/detail/engine_metrics.h"
#include "workflow/detail/engine_shard.h"
#include "workflow/detail/kept_events.h"
#include "workflow/detail/list_turns.h"
#include "workflow/detail/listener.h"
#include "workflow/detail/listening.h"
#include "workflow/detail/live_run.h"
#include "workflow/detail/order.h"
#include "workflow/detail/parked.h"
#include "workflow/detail/pieces.h"
#include "workflow/detail/places.h"
#include "workflow/detail/timer_queue.h"
#include "workflow/detail/told.h"
#include "workflow/engine.h"
#include "workflow/function.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace aios::workflow {

struct Engine::Impl {
  explicit Impl(EngineServices given);
  // Runs in memory (runs.cc)
  RunPtr new_run(const Context& ctx, StartRequest request,
                 std::shared_ptr<const Definition> definition, const std::string& blob);
  EngineShard& shard_of(std::string_view run_id);
  EngineShard& shard_of_executor(runtime::Executor& executor);
  /// Runs in the shard's own group, so that a caller who goes away does not end it half-way.
  Task<Result<void>> on_shard(EngineShard& shard, Context ctx, Task<Result<void>> work);
  Task<Result<void>> finish(EngineShard& shard, Task<void> last, Context ctx);
  std::vector<EngineShard*> all_shards();
  Task<std::uint64_t> cut(EngineShard* shard, Context ctx);
  void spawn(EngineShard& shard, Task<void> task);
  Task<Result<RunPtr>> acquire(Context ctx, std::string run_id);
  Task<Result<void>> load(RunPtr run);
  void release(const RunPtr& run);
  void forget(const RunPtr& run);
  void lose(const RunPtr& run, Error error);
  Machine machine(LiveRun& run);
  std::optional<Error> held(const TenantId& tenant) const;
  runtime::Clock& clock(const LiveRun& run) { return run.shard->executor.clock(); }
  // Wake-ups (wake_ups.cc)
  void wake(const TenantId& tenant, const TimerQueue::Sleeper& sleeper, Time at,
            Places::Place place);
  Task<void> wake_run(TenantId tenant, std::string run_id, Time at, Places::Place place);
  void warn_clock(Duration step) const;
  Task<void> not_woken(Context ctx, std::string run_id, Error error);
  Task<Result<bool>> put_off(Context ctx, std::string run_id, Time now);
  // The way of a run (driver.cc)
  Task<void> begin(RunPtr run);
  Task<void> drive(RunPtr run);
  Task<bool> turn(RunPtr run);
  bool has_place(LiveRun& run);
  Task<bool> save_end(RunPtr run);
  Task<Saved> checkpoint(RunPtr run);
  Task<void> close_abandoned_reviews(RunPtr run);
  void warn_ended(const LiveRun& run) const;
  void warn_incident(const LiveRun& run) const;
  void warn_secret(const LiveRun& run);
  void end_history(LiveRun& run);
  void note(LiveRun& run, RunEvent type, JsonObject data);
  void note_fence(LiveRun& run, RunEvent type, JsonObject data);
  Task<Saved> park(RunPtr run);
  // What leaves with a fence (commit.cc)
  bool crowded(const LiveRun& run) const;
  bool seal(LiveRun& run);
  void overflow(LiveRun& run, const Problem& problem);
  void strip(LiveRun& run);
  Task<Saved> commit(RunPtr run);
  Task<Saved> commit_again(RunPtr run, store::Transition transition, Error error);
  void salvage(LiveRun& run, store::Transition transition, const Error& error);
  store::Transition transition_of(LiveRun& run);
  store::StreamWrite run_write(LiveRun& run);
  // Calls and their fence (effects.cc)
  Task<Next> call(RunPtr run);
  Task<Next> call_local(RunPtr run, Function* function, CallPlan plan);
  Task<Next> call_outside(RunPtr run, Function* function, CallPlan plan);
  Task<bool> clear_to_send(RunPtr run, Function* function, CallPlan plan);
  Next settle_refused(const RunPtr& run, EffectClass effect, govern::Refusal refusal);
  void turn_away(LiveRun& run, const CallPlan& plan, Error error);
  Task<Saved> raise_fence(RunPtr run, CallPlan plan, PreparedCall* prepared);
  Task<Saved> reserve_and_raise(RunPtr run, CallPlan plan, PreparedCall* prepared);
  Task<Next> send(RunPtr run, Function* function, CallPlan plan, PreparedCall ready,
                  CallRequest request);
  bool left_by_stop(const RunPtr& run);
  void not_sent(LiveRun& run);
  CallRequest request_of(const LiveRun& run) const;
  Context attempt_context(const LiveRun& run, const CallPlan& plan);
  // Whether a call happened (lookup.cc)
  Task<bool> ask_whether_happened(RunPtr run, Function* function, CallPlan plan);
  // What is known after an attempt (outcomes.cc)
  void collect(LiveRun& run, CallOutcome& outcome, EffectClass effect);
  void settle(LiveRun& run, const CallPlan& plan, CallOutcome outcome);
  void settle_unknown(LiveRun& run, const CallPlan& plan, const Error& error);
  void settle_failed(LiveRun& run, const CallPlan& plan, const Error& error);
  void give_up(LiveRun& run, EffectClass effect, const Error& error);
  // When it is looked at again (pace.cc)
  void wait_for(LiveRun& run, Waiting::Reason reason, Time until, const Error& error);
  Duration pause_of(LiveRun& run, const CallPlan& plan) const;
  void ask_again(LiveRun& run, const CallPlan& plan, Time settled);
  void retry_later(LiveRun& run, const CallPlan& plan, const Error& error);
  // Runs that came from a backup (restored.cc)
  void mark_restored(LiveRun& run);
  void doubt(LiveRun& run);
  Task<Result<void>> tell_restored(Context ctx);
  Task<Result<std::uint64_t>> count_restored(Context ctx, std::string status);
  // Runs beside a run (children.cc)
  Task<bool> start_children(RunPtr run);
  Task<Result<store::StreamWrite>> child_write(RunPtr run, ChildStart start);
  Task<bool> await_children(RunPtr run);
  Task<Result<std::vector<ChildRead>>> read_children(RunPtr run);
  void settle_children(LiveRun& run, std::vector<ChildRead> children);
  Task<bool> try_children_again(RunPtr run, std::vector<ChildRead>* children);
  Task<void> cancel_child(TenantId tenant, std::string child, std::string parent,
                          std::string reason);
  void wake_parent(const LiveRun& child);
  void wake_early(const TenantId& tenant, const std::string& run_id);
  // What it is found by (attributes.cc)
  void renew_attributes(LiveRun& run);
  // Who waits for an event (listeners.cc), for a peer (peers.cc)
  Task<Saved> enlist(RunPtr run);
  Task<bool> take_kept(RunPtr run);
  bool receive(LiveRun& run, const std::string& event_id, std::uint64_t version, Json event);
  Task<Result<void>> deliver_to(Context ctx, Listener listener, std::string event_id, Json event);
  void peer_recovered(const TenantId& tenant, const std::string& peer);
  // Whose turn it is, by ordering key (turns.cc)
  Task<Result<void>> take_turn(RunPtr run, std::string key);
  void wait_for_turn(LiveRun& run);
  bool turn_comes(const LiveRun& run) const;
  void pass_turn(const std::string& run_id);
  Task<Result<void>> read_turns(Context ctx);
  // What people are told (explain.cc)
  std::string sought(const Context& ctx, const RunState& state, Shown shown) const;
  // What people say of reviews, and what their times make of them (people.cc)
  Task<Result<void>> tell(Context ctx, std::string review_id, review::Said said);
  Task<Result<void>> tell_once(Context ctx, std::string review_id, review::Said said);
  Task<bool> take_due(RunPtr run, Time at);
  Task<Result<bool>> tells_overdue(RunPtr run);
  // Incidents (incidents.cc), and changes from outside (changes.cc)
  void open_incident(LiveRun& run, const Error& error);
  void close_incident(LiveRun& run, std::string_view resolution, const Context& by);
  Task<Result<void>> change(RunPtr run);
  void cancel_now(LiveRun& run);
  bool may_have_acted(const LiveRun& run) const;
  Task<Result<void>> cancel_run(Context ctx, std::string run_id, std::string reason);
  struct Incidents;
  Result<JsonObject> check_result(const LiveRun& run, const Json& result) const;
  Task<Result<void>> resolve(Context ctx, std::string run_id, Resolution resolution);
  // What a run left open when it is to end (open_effects.cc)
  void note_unknown(LiveRun& run);
  bool hold_end(LiveRun& run);
  // Faulted runs that go on (retry.cc)
  Task<Result<void>> retry_run(Context ctx, std::string run_id, RetryWith with);
  Task<Result<void>> retry_child(Context ctx, std::string run_id, RetryWith with,
                                 std::shared_ptr<const RunState> memory);
  Task<Result<void>> begin_again(Context ctx, RunPtr run, std::string by);
  Task<Result<void>> ready_to_retry(RunPtr run, RetryWith with);
  Task<Result<void>> family_ready(RunPtr run, RetryWith with);
  Task<Result<std::shared_ptr<const Definition>>> where_it_faulted(RunPtr run);
  Task<Result<void>> move_to_newest(RunPtr run);

  EngineServices services;
  FunctionRegistry own_registry;
  const FunctionRegistry* registry = nullptr;
  std::map<std::string, std::unique_ptr<Function>, std::less<>> functions;
  Definitions definitions;
  EngineMetrics metrics;
  Places places;
  Order order;
  Listening listening;
  ListTurns list_turns;
  EndWaiters end_waiters;
  std::shared_ptr<TimerQueue> timers;
  std::unique_ptr<KeptEvents> kept_events;
  Instant begun{};  ///< when this engine was made: before that no clock of this process was read
  std::atomic<bool> stopping{false};
  std::atomic<bool> cutting{false};  ///< the drain deadline passed: calls under way are cancelled
  std::atomic<std::int64_t> secret_told_ns{0};  ///< when the log last had warn_secret's line
  std::mutex shards_mutex;
  std::map<runtime::Executor*, std::unique_ptr<EngineShard>> shards;
};

}  // namespace aios::workflow

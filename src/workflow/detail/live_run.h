// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/live_run: a run in memory, with what leaves with its next commit.

#include "core/context.h"
#include "runtime/executor.h"
#include "runtime/one_shot.h"
#include "store/transition.h"
#include "workflow/detail/definition.h"
#include "workflow/detail/machine.h"
#include "workflow/detail/places.h"
#include "workflow/detail/state.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::workflow {

inline constexpr std::string_view secret_page = "AIOS-0911";  ///< the system answered 401

/// What waits for long is looked at this often at least.
inline constexpr Duration unknown_pause_max = std::chrono::minutes(5);
/// A run that the store could not give now is asked for again.
inline constexpr Duration again_pause = std::chrono::seconds(1);

/// Types of a run's history events. The numbers are on disk: never reuse one.
enum class RunEvent : std::uint16_t {
  started = 1,
  checkpoint = 2,
  effect_intended = 3,
  effect_result = 4,
  parked = 5,
  resumed = 6,
  completed = 7,
  faulted = 8,
  cancelled = 9,
  effect_refused = 10,
  incident = 11,
  incident_resolved = 12,
  review_overdue = 25,
  review_escalated = 26,
  review_proposed = 27,
  review_sent_back = 28,
  review_assigned = 29,
  retried = 20,  ///< a faulted run goes on
  children_started = 13,
  children_ended = 14,
  event_received = 15,
};
std::string_view name_of(RunEvent type);

/// What to do after a call was seen to.
enum class Next : std::uint8_t { advance, lost };

/// What came of a fence. Only after `durable` may anything leave the process.
enum class Saved : std::uint8_t {
  durable,
  lost,     ///< to this process; the store has the last durable state
  faulted,  ///< it cannot be saved: the run has ended, and its end is to be saved
  unpaid,   ///< a budget does not cover what its intent reserves: see LiveRun::over_budget
};

struct EngineShard;

struct LiveRun {
  std::string id;
  EngineShard* shard = nullptr;  ///< where it is driven
  Context ctx;                   ///< of the run itself: tenant, trace, labels, its own cancellation
  std::shared_ptr<const Definition> definition;
  RunState state;
  std::uint64_t version = 0;  ///< of the stream; 0: not committed yet

  // What leaves with the next commit.
  std::string sealed;               ///< the state as bytes
  std::size_t indexed_durable = 0;  ///< so many of state.indexed are in the store
  bool attributes_fixed = false;    ///< what they are made of was dropped: they stay as they are
  RunLog log;
  std::vector<store::HistoryEvent> history;
  std::vector<store::StreamWrite> writes;
  std::vector<store::AuditLeaf> leaves;
  std::optional<store::Transition> with;
  std::vector<store::BudgetMove> budgets;     ///< of what was settled
  std::vector<store::BudgetMove> reserving;   ///< of an intent; the store may refuse them
  std::optional<runtime::OneShot<void>> ack;  ///< who is answered when the next commit is durable

  bool listens() const {
    return state.waiting && state.waiting->reason == Waiting::Reason::event && !log.listen;
  }

  /// EffectState::sent_at by the clock that nobody sets, where this process knows it.
  std::optional<Instant> left_at;
  std::string left_of;               ///< the effect that it is of: the next one has its own
  int answered_status = 0;           ///< CallOutcome::status of what is being settled
  std::string held_up_by;            ///< the peer that what is about to be parked waits for
  std::optional<Error> over_budget;  ///< why the store refused `reserving`
  std::uint32_t refusals = 0;        ///< by the store, of what can never be committed
  Places::Place place;               ///< while it is driven beyond an answer
  bool enters_line = false;          ///< its place goes with the next commit
  bool busy = false;
  bool woken = false;   ///< its time came while it was busy: look again when it no longer is
  bool acting = false;  ///< an attempt is under way that may change the world: let it answer
  bool cancel_requested = false;
  std::string cancel_reason;
  std::optional<store::AuditLeaf> cancel_leaf;  ///< who asked; goes with the cancellation
  std::vector<runtime::OneShot<void>> queue;    ///< who waits until it is not busy
};
using RunPtr = std::shared_ptr<LiveRun>;

/// A child as its parent finds it.
struct ChildRead {
  RunState state;
  std::uint64_t version = 0;
  bool stale = false;  ///< it ended before, and is to be tried again
};

/// Whether the system was the same when the call was admitted.
bool as_planned(const CallPlan& plan, const PreparedCall& prepared);

/// What a person found out about a call: that it happened, that it did not, nothing.
enum class Word : std::uint8_t { happened, retry, fail };

/// A person's word on the call of a run that is to end, held up or cancelled: should it be tried
/// again, that is known. One that was held up ends with it.
void settle_open(RunState& state, Word word, Json result);

/// Why what comes for it comes too late: failed_precondition [AIOS-1013].
Error has_ended(const LiveRun& run);

/// The last request can have left as late as `before` now.
void note_sent(LiveRun& run, runtime::Clock& clock, Duration before);
/// Of a run that was read from the store: the wall clock tells how long ago that was, but never
/// more than this process has seen pass. It may have been set while none ran.
void note_loaded(LiveRun& run, runtime::Clock& clock, Instant process_begun);
/// Whether that is known of the call under way.
bool knows_sent(const LiveRun& run);
/// How long ago that was; nothing is known: not at all.
Duration since_sent(const LiveRun& run, runtime::Clock& clock);

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/state: all that a run is. Saved whole at each fence; loading it is all that
// recovery does. On disk: one version byte, then JSON. A field that is empty is not written.

#include "core/effect.h"
#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "govern/budget.h"
#include "workflow/detail/family.h"
#include "workflow/detail/open_effect.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::workflow {

struct Definition;

/// One list of tasks under way. The current task is `index`; `entered` once its input was made.
struct Frame {
  std::uint32_t list = 0;  ///< in Definition::lists; saved as the list's pointer
  std::uint32_t index = 0;
  bool entered = false;
  Json data;   ///< raw input of the current task: the output of the one before
  Json input;  ///< after input.from
  Time started;
  std::optional<Time> deadline;
  JsonObject memory;  ///< the task's own (TaskScope::memory)
  /// RunState::effects when the current task was entered or its last call was given up: where it is
  /// the same still, nothing but that call was asked of the world since.
  std::uint64_t effects = 0;
  std::optional<Json> done;  ///< what the task gave, where only shaping that failed
  JsonObject variables;      ///< arguments that exist in this list only
};

/// A call under way.
struct EffectState {
  /// The numbers are on disk: never reuse one.
  enum class Phase : std::uint8_t {
    fresh = 0,   ///< nothing was sent since the last known outcome
    intent = 1,  ///< committed before sending: found like this after a crash, nobody knows
  };
  std::string id;  ///< the idempotency key: the same for every attempt
  std::string function;
  std::string step;  ///< JSON pointer
  Json arguments;
  Phase phase = Phase::fresh;
  std::uint32_t attempt = 0;    ///< tries so far, the present one included
  std::uint32_t lookups = 0;    ///< that gave no answer since the last try
  bool maybe_happened = false;  ///< some try had an unknown outcome
  std::optional<Time> first_at;
  /// The latest that its last request can have left: with the attempt's time added, it is over.
  std::optional<Time> sent_at;
  std::string origin;     ///< where that went (CallPlan::origin)
  bool given_up = false;  ///< by a person who was asked: not saved here, but with OpenEffects
};

/// What a run paid in one currency.
struct Cost {
  std::string currency;
  std::int64_t nano = 0;
  bool estimated = false;  ///< some of it is not known: there the highest that it can have been
};
/// Money reserved for an attempt, until it is settled.
struct HeldMoney {
  std::string effect;
  govern::Reservation reservation;
};

/// Why a parked run waits. It has one reason at a time.
struct Waiting {
  /// The numbers are on disk: never reuse one.
  enum class Reason : std::uint8_t {
    timer = 0,
    retry = 1,
    blocked = 2,
    lookup = 3,
    review = 4,
    incident = 5,
    child = 6,  ///< runs that this one started
    event = 7,  ///< an event of `event_type`
    turn = 12,  ///< runs of the same ordering key are before it; `subject` is the last of them
  };
  Reason reason = Reason::timer;
  Time since;
  std::optional<Time> wake_at;  ///< absent for incidents, and for reviews without a timeout
  std::string subject;          ///< review or incident id
  std::string error;            ///< of the last try
  std::string event_type;
  /// Of an incident: what a person said that another has to approve: {word, by, at, approvers}, and
  /// result with happened. Null: nothing.
  Json proposal;
};
std::string_view name_of(Waiting::Reason reason);

/// The numbers are on disk: never reuse one.
enum class RunStatus : std::uint8_t {
  running = 0,
  waiting = 1,
  completed = 2,
  faulted = 3,
  cancelled = 4,
};
std::string_view name_of(RunStatus status);

struct RunState {
  std::string workflow;  ///< namespace/name
  std::string version;
  std::string digest;           ///< of the definition's text
  std::string definition_blob;  ///< where that text is kept
  std::string subject, traceparent;
  std::string starter;  ///< id of the principal that started it; empty: nobody is known
  std::uint32_t labels = 0;
  RunStatus status = RunStatus::running;
  Time created;
  std::optional<Time> deadline;
  Json callback;          ///< StartRequest::callback
  std::string order_key;  ///< StartRequest::order_key
  Json raw_input, input, context;
  std::vector<Frame> frames;
  JsonArray inferences, retrievals, results, reviews;  ///< governance memory: see remember()
  std::uint64_t results_forgotten = 0;                 ///< that were in `results` once
  OpenEffects open_effects;
  std::vector<Cost> costs;
  std::vector<HeldMoney> held;
  std::uint64_t steps = 0, effects = 0;
  std::optional<EffectState> effect;
  std::optional<Waiting> waiting;
  std::optional<ParentState> parent;
  std::optional<ChildrenState> children;
  /// Those of the task that faults: it goes on with them when the run is tried again.
  std::optional<ChildrenState> left;
  std::uint64_t children_started = 0;
  bool from_backup = false;   ///< its next effects may have happened after the backup was made
  bool cancel_asked = false;  ///< it ends as cancelled once a person has settled its incident
  std::string cancel_reason;
  /// Its document is through, and it ends so once a person has settled what it left open.
  std::optional<RunStatus> ends_as;
  Json output, error;
  /// When it faulted (of a child: or was cancelled) with its frames, so that it can be tried again
  /// from there; absent when they were not kept.
  std::optional<Time> faulted_at;
  JsonObject attributes;             ///< search attributes: name -> attribute_value()
  std::vector<std::string> indexed;  ///< every value that was ever found by: "name\x1fkey"

  bool is_branch() const { return parent && !parent->list.empty(); }
  bool ended() const { return status != RunStatus::running && status != RunStatus::waiting; }
};

/// A faulted run's state beyond this is kept without its frames: then it cannot be tried again.
inline constexpr std::size_t faulted_bytes_max = std::size_t{1} << 20;
/// When the run must be looked at again at the latest; nothing while it waits for a person without
/// a limit.
std::optional<Time> next_wake(const RunState& state);

inline constexpr std::size_t memory_max = 100;
inline constexpr std::size_t memory_bytes_max = std::size_t{256} << 10;

/// Adds to a governance memory; the oldest give way when it has more than memory_max entries or
/// memory_bytes_max bytes. Members of one entry that are too large alone become null, and it says
/// `too_large`. @return how many gave way
std::size_t remember(JsonArray& memory, JsonObject entry);
/// Of what a business system said; policy is told how many such entries gave way.
void remember_result(RunState& state, JsonObject entry);
/// Every governance memory.
void forget_memory(RunState& state);
/// What a child learned that began with the memory of `base`: added to `state`.
void merge_memory(RunState& state, const RunState& base, const RunState& child);
/// What a child begins with.
void copy_memory(RunState& child, const RunState& parent);

/// Of one currency there is one entry; at the bound of the numbers it stays there.
void add_cost(std::vector<Cost>& costs, const std::string& currency, std::int64_t nano,
              bool estimated);
JsonArray costs_json(const std::vector<Cost>& costs);
std::vector<Cost> costs_of(const JsonArray& values);
JsonArray held_json(const std::vector<HeldMoney>& held);
/// @return data_loss [AIOS-1034]
Result<std::vector<HeldMoney>> held_of(const JsonArray& values);

std::string encode_state(const RunState& state, const Definition* definition);
/// Without the frames: enough for get() and for finding the definition. @return data_loss
/// [AIOS-1034]: it says something that no program wrote; failed_precondition [AIOS-1030]: another
/// format.
Result<RunState> decode_state(std::string_view bytes);
/// Fills the frames. @return failed_precondition when the definition does not have the lists the
/// state names.
Result<void> decode_frames(std::string_view bytes, const Definition& definition, RunState* state);

}  // namespace aios::workflow

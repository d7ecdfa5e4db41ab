// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/ingress: how an event becomes durable. Admission by the guard, deduplication, the start
// of a run and the inbox entry are one commit, made before the sender gets its 2xx. Sources
// (sources/*.cc) turn what arrives into an Event and call accept().
// Threading: from the thread of any executor; what is awaited resumes there. Lifetime: what
// IngressServices names outlives it, and it outlives every call that is awaited.

#include "core/context.h"
#include "core/result.h"
#include "govern/guard.h"
#include "govern/identity.h"
#include "ingress/delivery.h"
#include "ingress/source.h"
#include "ingress/turned_away.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "store/store.h"
#include "workflow/engine.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aios::ingress {

struct Accepted {
  std::string id;         ///< "evt_...": the inbox entry
  std::string status;     ///< "accepted" or "dead_letter"
  std::string run;        ///< empty for dead letters
  std::string delivered;  ///< the run that listened for it and goes on with it
  std::string reason;     ///< why it is a dead letter
  bool repeated = false;  ///< same id and body as before: this is the first answer again
  Json to_json() const;
};

/// Beyond these a sender is told to come back, before anything is written.
struct InboxBounds {
  double delta_share = 0.75;                ///< of what the store may have to fold
  std::uint64_t waiting_runs_max = 20'000;  ///< of a tenant: under way, or waiting for a place
};

/// Why an event of the list is a dead letter.
struct DeadLetter {
  std::string source;  ///< that was declared, by name; empty: none
  int page = 0;        ///< of the reason; 0: no workflow is started by its type
  std::string reason;  ///< may quote the event's data
};
/// @param row  of Ingress::list() with the status "dead_letter".
DeadLetter dead_letter_of(const store::StreamRow& row);

struct IngressServices {
  store::Store* store = nullptr;
  const govern::Guard* guard = nullptr;
  workflow::Engine* engine = nullptr;
  observe::Metrics* metrics = nullptr;
  const observe::Log* log = nullptr;  ///< dead letters: one line in ten seconds; null: none
  /// Why a tenant takes no events now though it will again: the sender is told to come back, and
  /// nothing is recorded. Null: never.
  std::function<std::optional<Error>(const TenantId& tenant)> held = nullptr;
  const Sources* sources = nullptr;  ///< null: none is declared
  InboxBounds bounds{};
};

class Ingress {
 public:
  explicit Ingress(IngressServices services);
  ~Ingress();
  /// Durable when it returns. Starts the first workflow (by namespace and name) that the type
  /// triggers, and is given to the oldest run that waits for such an event, now or within the hour
  /// (but one whose input the workflow refuses only now). With neither it is a dead letter: at
  /// once, or when the hour is over.
  /// Sent by who may send events: its `source` is none that a declared source has to itself.
  /// @param bytes  size of the event as it arrived, for policy.
  /// @return policy_denied (event_admit; an audit leaf says so, floods share one); already_exists
  ///         [AIOS-1203] (same source and id, other content); permission_denied [AIOS-1214] (a
  ///         declared source's `source`); IngressServices::held's error; unavailable [AIOS-1207]
  ///         (Retry::same_call) beyond InboxBounds; unavailable [AIOS-1015] while the engine stops
  ///         and resource_exhausted when the store has no room, both Retry::same_call; the store's
  ///         own. After deadline_exceeded or cancelled it may have been taken: sent again it gets
  ///         the first answer (`repeated`).
  Task<Result<Accepted>> accept(Context ctx, Event event, std::size_t bytes);
  /// Whoever starts a run otherwise (a task, a start by hand) says so before: it counts as the
  /// tenant's part of what the store has to fold, as its events do.
  /// @return unavailable [AIOS-1207] (Retry::same_call) above that part, while others send too.
  std::optional<Error> take_share(const TenantId& tenant, std::size_t bytes);
  /// The same with what is known of where it came from. What is `unfit` becomes a dead letter.
  Task<Result<Accepted>> accept(Context ctx, Delivery delivery);
  /// What arrived at a declared source: its event, accepted.
  Task<Result<Accepted>> receive(Context ctx, SourcePtr source, Arrival arrival);
  /// What was refused before it was an event leaves a leaf that says why ("signature", "late",
  /// "rate"); floods share one.
  /// @param source  as events of it would name it; empty: one that is not there.
  Task<void> turn_away(Context ctx, std::string source, std::string why);
  /// A whole file of a declared source was refused: counted alone, its records have their leaves.
  void count_refused_file(const Context& ctx, const std::string& source);
  /// What was turned away at the doors, or refused by policy there, and went on after `since`.
  std::vector<TurnedAway::Row> turned_away_after(Time since) const;
  /// A dead letter starts what it would start today, or waits anew for a run that listens, once:
  /// by the source's mapping and schema and the workflows of today. It is marked "replayed" in the
  /// same commit.
  /// @return of one that was replayed before the first answer (`repeated`); failed_precondition
  ///         [AIOS-1206] where nothing takes it today either, or it is no dead letter; as accept().
  Task<Result<Accepted>> replay(Context ctx, std::string id);
  struct Wanted {
    std::string status;         ///< "accepted", "dead_letter", "replayed" or empty for all
    std::string type;           ///< of the events; empty: any
    std::string after;          ///< exclusive: only older ones
    std::uint32_t limit = 100;  ///< 1 to 1,000
  };
  /// Newest first; rows have their state where dead letters alone are wanted.
  Task<Result<std::vector<store::StreamRow>>> list(Context ctx, Wanted wanted);
  /// {id, event, status, run, reason, received, opening}, and `delivered`, the run that listened
  /// and took it; of an erased one {id, status, erased}.
  /// not_found: no such event.
  Task<Result<Json>> get(Context ctx, std::string id);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::ingress

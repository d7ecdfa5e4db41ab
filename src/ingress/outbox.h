// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/outbox: events that runs emit come back in like a webhook's, so one workflow can start
// another; what leaves (callbacks, and events that somebody subscribed to) is handed on. At least
// once, and of one tenant in the outbox's order; the event's id and source make a repetition
// harmless. Tenants take turns: one with many messages, or one that takes none now, holds up
// itself; one with slow messages holds up the others until its turn is over.
// Threading: everything on the one executor that awaits it.

#include "core/context.h"
#include "ingress/ingress.h"
#include "observe/log.h"
#include "runtime/task.h"
#include "store/store.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace aios::ingress {

/// Where messages go that do not come back in.
struct Outgoing {
  /// Whether somebody outside wants such an event.
  std::function<bool(const TenantId& tenant, const Event& event)> subscribed;
  /// Whether a run takes events of the type, too: one that somebody subscribed to and no run takes
  /// is no dead letter. An error: it is asked again later.
  std::function<Task<Result<bool>>(Context ctx, std::string type)> wanted;
  /// Takes a message over and from the outbox, in one commit. An error leaves it there.
  std::function<Task<Result<void>>(Context ctx, store::OutboxRow row)> take;
};

class OutboxSource {
 public:
  static constexpr std::size_t turn_messages_max = 32;
  static constexpr Duration turn_max = std::chrono::seconds(1);
  static constexpr std::size_t turns_at_once_max = 16;
  /// Known and not delivered yet, of all tenants; beyond it new ones wait to be seen.
  static constexpr std::size_t known_max = 1'000'000;

  /// All three outlive run().
  OutboxSource(store::Store& store, Ingress& ingress, const observe::Log& log);
  /// Before run(). Without it every message comes back in.
  void hand_on(Outgoing outgoing) { outgoing_ = std::move(outgoing); }
  /// Rounds until ctx is cancelled: at once after one that took something, else 200 ms later.
  Task<void> run(Context ctx);
  /// One look at what is new, then a turn for each tenant that has messages: at most 32, and none
  /// begins when the turn has taken a second. A message that cannot be taken now but may be later
  /// ends its tenant's turn, so that none overtakes it, and the tenant waits 200 ms, then longer,
  /// at most 5 s.
  /// @return how many were taken (accepted, dead-lettered or, with a line in the log, refused for
  ///         good) and will not come again; the store's error when what is new cannot be read,
  ///         after turns with what was known.
  Task<Result<std::uint64_t>> round(Context ctx);

 private:
  struct Queue {
    std::deque<std::uint64_t> ids;  ///< in order
    Instant not_before;
    Duration pause{0};
  };
  struct Turns;
  enum class Took : std::uint8_t { taken, gone, later };

  Task<Result<void>> look(Context ctx);
  Task<void> take_turns(Context ctx, Turns* turns);
  Task<std::uint64_t> turn(Context ctx, TenantId tenant, Queue* queue);
  Task<Took> take(Context ctx, std::uint64_t id);
  Task<Took> deliver(store::OutboxRow row);
  Task<Took> come_in(Context ctx, Event event, std::size_t bytes);
  Task<Took> hand_on(Context ctx, store::OutboxRow row);

  store::Store* store_;
  Ingress* ingress_;
  const observe::Log* log_;
  std::optional<Outgoing> outgoing_;
  std::map<TenantId, Queue> queues_;  ///< of tenants that have messages
  std::size_t known_ = 0;             ///< ids in queues_
  std::uint64_t seen_to_ = 0;         ///< the last id that was looked at
};

}  // namespace aios::ingress

// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/detail/ingress_impl: what stands behind Ingress. ingress.cc takes events in, inbox.cc
// writes and reads them, replay.cc gives dead letters another try.

#include "ingress/detail/room.h"
#include "ingress/ingress.h"
#include "ingress/refusals.h"
#include "observe/metric_table.h"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace aios::ingress {

/// A dead letter that is given another try.
struct Replayed {
  std::string id;
  std::uint64_t version = 0;
  std::string label, subject;
  JsonObject state;       ///< as it is kept
  bool holds_id = false;  ///< it was accepted once, and nobody took it: its key is taken, by itself
};

/// An event about to be written down.
struct Inbox {
  const Delivery* delivery = nullptr;
  bool type_known = false;  ///< the bundle names it
  bool listened = false;    ///< a run may wait for it
  std::string workflow;     ///< that it starts; empty: none
  bool conflict = false;    ///< its id was taken before with other content
  Accepted accepted;
  std::string digest;
  std::optional<govern::Decision> decision;  ///< none is asked of what is no event yet
  std::optional<Replayed> replayed;          ///< that becomes this one, in the same commit
};

/// What was accepted holds its id. A dead letter only knows itself again: mended, or sent again
/// once a workflow takes it, it must not be in its own way. Ids are those
/// of a way in: who may send events by the API takes none that a declared source or a run of this
/// installation gives, whatever `source` it claims.
std::string event_space(const Delivery& delivery);
/// Of a dead letter: of its id, or where that was taken with other content of the content as well.
store::KeyClaim dead_key(const Inbox& inbox);
/// Entry, key, leaf, and what the delivery brings, as one.
/// @param envelope  of the delivery's event, as a value
store::Transition inbox_transition(const Context& ctx, Time now, const Inbox& inbox,
                                   const Json& envelope);
/// The dead letter says what became of it.
store::StreamWrite replayed_write(const Replayed& replayed, const Accepted& accepted);

/// A store's error that there is no such event names the command that lists them; others stay.
Error not_found_event(Error error, const std::string& id);
Error still_dead(const std::string& id, const std::string& reason);

/// A sender that uses a wrong type sends many: one line in ten seconds says how many there were.
class DeadLetterLines {
 public:
  /// @return how many to tell of now, with this one; 0: it is told of with a later one.
  std::uint64_t add(Instant now);

 private:
  std::mutex mutex_;
  std::optional<Instant> told_at_;
  std::uint64_t untold_ = 0;
};

/// Something that is turned away at the door.
struct Refused {
  std::string source;
  std::string type;  ///< empty: a stranger's text, which is no fact
  std::string why;
  std::string by;  ///< name of the declared source it came by; empty: none
  std::optional<govern::Decision> decision;
};

struct Ingress::Impl {
  explicit Impl(IngressServices given);

  IngressServices services;
  Room room;
  DeadLetterLines dead_letters;
  Refusals refusals;
  TurnedAway turned_away;

  std::map<std::string, observe::Counter*, std::less<>> counters;  ///< by outcome

  observe::Counter& count(std::string_view outcome) { return *counters.find(outcome)->second; }
  std::optional<std::string> owner_of(const TenantId& tenant, std::string_view source) const;
  Task<void> tell_fate(Context ctx, Accepted* accepted);
  Task<Result<bool>> nobody_takes(Context ctx, const Inbox* inbox);
  Task<Result<Accepted>> again(Context ctx, std::string space, std::string id, std::string digest);
  Task<Result<Accepted>> start_run(Context ctx, const Inbox* inbox, Time now);
  Task<Result<Accepted>> dead_letter(Context ctx, Inbox inbox, Time now);
  void warn_dead_letter(const Context& ctx, const Inbox& inbox);
  Task<void> record_refusal(Context ctx, Refused refused);
  Task<Result<Accepted>> start_one(Context ctx, Inbox* inbox, Time now);
  Task<Result<Accepted>> taken_before(Context ctx, Inbox inbox, Time now);
  Task<Result<Accepted>> keep_dead(Context ctx, Inbox inbox, Time now);
  Task<Result<Accepted>> decide(Context ctx, Inbox inbox, Time now);
  Task<Result<Accepted>> admit(Context ctx, Delivery delivery, std::optional<Replayed> replayed);
  Task<Result<Accepted>> try_again(Context ctx, std::string id);
  Task<Result<Accepted>> mark_replayed(Context ctx, Replayed replayed, Accepted accepted);
};

}  // namespace aios::ingress

// SPDX-License-Identifier: Apache-2.0
#pragma once
// store/transition: everything that one decision changes, committed whole or not at all. The unit
// of the journal. A run, a review, an inbox event, a model version, an API key are all *streams*
// (kind + id) with a version, a sealed state, a history and a few listable fields in clear. No kind
// is treated apart but where streams expire: what belongs to a run or an event goes with it.

#include "core/ids.h"
#include "core/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aios::store {

/// What a stream is. The numbers are on disk: never reuse one (8, 11, 12 and 13 were named once).
enum class StreamKind : std::uint8_t {
  run = 1,
  event = 2,
  review = 3,
  deployment = 4,
  model = 5,
  model_alias = 6,
  api_key = 7,
  correction = 9,
  incident = 10,
  blob = 14,
  audit_log = 15,         ///< what the tenant's log last signed
  source_place = 16,      ///< how far a file or a schedule has been read
  turn = 17,              ///< a run's place in the line of its partitionkey
  delivery = 18,          ///< a callback or an event on its way to a receiver
  listener = 20,          ///< a run that waits for an event
  kept_event = 21,        ///< an event that some task listens for and nobody took yet
  model_note = 22,        ///< what was measured of a model version
  search_attribute = 23,  ///< a value that a run is found by
  tenant = 24,            ///< in the first tenant: one that shares the installation
};
std::string_view name_of(StreamKind kind);

/// Bytes to be sealed (AES-256-GCM) before they reach a disk. `subject` names the data subject
/// whose key seals them; empty: the tenant's key of the current week. Destroying that key makes
/// them unreadable everywhere.
struct Payload {
  std::string subject;
  std::string bytes;
};

/// One line of a stream's history. `type` belongs to the stream's module (never reuse a number
/// within a kind).
struct HistoryEvent {
  std::uint16_t type = 0;
  Time time;
  Payload data;
};

enum class StreamEnd : std::uint8_t { open = 0, closed = 1 };

struct StreamWrite {
  StreamKind kind = StreamKind::run;
  std::string id;
  /// Precondition: the stream's present version (0: it must not exist). The write makes it
  /// expected_version + 1.
  std::uint64_t expected_version = 0;
  std::vector<HistoryEvent> history;
  /// The whole new state; nothing: the state stays.
  std::optional<Payload> state;
  /// Listable, in clear, at most 64 and 128 bytes (store/label.h), never personal data: e.g.
  /// "waiting" and the workflow's name.
  std::string status;
  std::string label;
  /// The stream's one durable wake-up time; nothing: none (replaces the previous one at each
  /// write).
  std::optional<Time> wake_at;
  /// closed: finished; its history is compressed into one row when folded. Written to again only to
  /// reopen it.
  StreamEnd end = StreamEnd::open;
};

/// Precondition and record in one: the key must be absent in its space (7 days are kept). Stored as
/// a keyed 16-byte fingerprint of `key`; `value` is given back to whoever asks for the same key
/// again, with whether he asks for the same request. The digest is kept keyed by the tenant's key:
/// it tells nobody else what was in the request.
struct KeyClaim {
  std::string space;  ///< e.g. "event:tickets", "task"
  std::string key;
  std::string request_digest;  ///< <= 32 bytes, of what the key was claimed for
  std::string value;           ///< <= 256 bytes, e.g. the id given out first
};

/// Precondition and movement in one: balance + amount must stay <= limit (nano-units; negative
/// amounts give back).
struct BudgetMove {
  std::string account;
  std::int64_t amount_nano = 0;
  std::int64_t limit_nano = INT64_MAX;
};

/// A message that leaves after the commit, at least once, in order per `ordering_key`.
struct OutboxMessage {
  std::string topic;
  std::string ordering_key;
  Payload data;
};

/// An audit leaf: its bytes are final here; the sequencer gives it its index in the tenant's log.
/// The other members are not part of it and the store drops them: they open what the leaf commits
/// to (govern/opening.h). Whoever commits the leaf keeps them in a sealed payload of the same
/// transition, so that they go when the payload's key is destroyed.
struct AuditLeaf {
  std::string bytes;
  std::string salt{};      ///< 16 secret bytes; empty: the leaf commits to nothing
  std::string contents{};  ///< JSON object: part -> its text, of parts kept nowhere else
};

/// Bounds of one transition; beyond them it is refused: invalid_argument [AIOS-0406].
inline constexpr std::size_t streams_max = 64;
/// Keys, budget movements, messages, leaves, and events of one stream: each at most so many.
inline constexpr std::size_t items_max = 256;
inline constexpr std::size_t id_bytes_max = 256;
inline constexpr std::size_t leaf_bytes_max =
    65'535;  ///< an audit log's entry has 16 bits of length
inline constexpr std::size_t transition_bytes_max = std::size_t{4} << 20;

struct Transition {
  TenantId tenant;
  /// Fence: must equal the store's present epoch (Store::epoch() when the writer took over). A
  /// writer from before a take-over is refused even where versions happen to fit.
  std::uint64_t epoch = 0;
  std::vector<StreamWrite> streams;
  std::vector<KeyClaim> keys;
  std::vector<BudgetMove> budgets;
  std::vector<OutboxMessage> outbox;
  std::vector<std::uint64_t> outbox_done;  ///< ids of delivered messages
  std::vector<AuditLeaf> leaves;
};

struct Committed {
  std::uint64_t sequence = 0;    ///< position in the journal, from 1
  std::uint64_t first_leaf = 0;  ///< index of leaves[0] in the tenant's log; the others follow
  std::vector<std::uint64_t> outbox_ids;  ///< one a message
};

}  // namespace aios::store

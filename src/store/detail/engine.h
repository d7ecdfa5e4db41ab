// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/engine: what a storage engine must be able to do. It knows bytes and order; sealing,
// preconditions and the delta are done above it, once for all engines.
// Threading: the journal's methods on the writer's thread, the tables' on the folding thread, reads
// on any thread.

#include "store/detail/keystore.h"
#include "store/detail/record.h"
#include "store/store.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace aios::store::detail {

struct TableStream {
  std::string key;
  std::uint64_t version = 0;
  std::string status;
  std::string label;
  std::optional<Time> wake_at;
  StreamEnd end = StreamEnd::open;
  Time updated;
  std::string state;  ///< sealed
};

/// A stream's history as stored: packed chunks (detail/history), oldest first.
struct TableHistory {
  std::uint64_t version = 0;
  std::vector<std::string> chunks;
};

struct FoldStream {
  TableStream row;
  bool has_state = false;  ///< false: the state stays
  std::string events;      ///< a packed chunk; empty: none
};

struct FoldKey {
  std::int64_t day = 0;  ///< since 1970
  RecordKey key;
};

struct FoldMessage {
  std::uint64_t id = 0;
  std::string tenant;
  RecordMessage message;
};

struct FoldLeaf {
  std::string tenant;
  std::uint64_t index = 0;
  std::string bytes;
};

struct FoldAssignment {
  std::string tenant;
  Assignment assignment;
};

/// Everything that a stretch of the journal changes, merged: the last version of each stream and so
/// on.
struct Fold {
  std::uint64_t through = 0;
  std::int64_t day = 0;  ///< today; partitions of keys older than key_days before it are dropped
  std::vector<FoldStream> streams;
  std::vector<FoldKey> keys;                                  ///< sorted by day and fingerprint
  std::vector<std::pair<std::string, std::int64_t>> budgets;  ///< account_key, amount to add
  std::vector<FoldMessage> outbox;
  std::vector<std::uint64_t> outbox_done;
  std::vector<FoldLeaf> leaves;
  std::vector<FoldAssignment> assignments;
};
constexpr std::int64_t key_days = 7;
constexpr std::int64_t day_ns = 86'400'000'000'000;

/// Packs the chunks of a closed stream into one.
using PackHistory =
    std::function<std::string(const std::string& key, const std::vector<std::string>& chunks)>;

/// A page of streams of one tenant and kind; the fields are those of ListQuery.
struct Page {
  StreamKind kind = StreamKind::run;
  std::string tenant;
  std::string status;
  std::string label;
  std::string after;
  std::uint32_t limit = 100;
  bool newest_first = false;
  bool with_state = true;
};

struct TableWake {
  std::string key;
  std::uint64_t version = 0;
  Time at;
  std::int64_t place = INT64_MIN;  ///< the engine's own order among equal times
};

struct TableCount {
  std::uint64_t matching = 0;
  std::vector<TableStream> rows;
};

/// Asked between the looking and the taking, with the keys of what was found: of each whether it
/// may go. What may go does not change before the tables have lost it.
using ClaimStreams = std::function<std::vector<bool>(const std::vector<std::string>& keys)>;

/// Closed streams of a tenant and kind to be taken away: ids in ]after, below[, written before.
struct TableExpiry {
  StreamKind kind = StreamKind::run;
  std::string tenant;
  std::string after, below;
  Time before;
  std::uint32_t limit = 0;  ///< rows to look at
  ClaimStreams claim{};
};

/// Closed streams of a tenant and kind to be taken away for what sealed them; ids behind `after`.
struct TableRemoval {
  StreamKind kind = StreamKind::search_attribute;
  std::string tenant;
  std::string after;
  std::uint32_t limit = 0;                           ///< rows to look at
  std::function<bool(std::string_view state)> gone;  ///< of the sealed state
  ClaimStreams claim{};
};

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  virtual std::uint64_t epoch() const = 0;
  virtual KeyStore& keystore() = 0;

  // The journal. append() stages, sync() makes durable all that was staged; after an error of
  // either nothing of it is kept. resource_exhausted: the disk is full. data_loss: the disk failed,
  // what is durable is unknown. failed_precondition: another process took the journal over; nothing
  // is written any more.
  virtual Result<void> append(const std::vector<JournalRow>& rows) = 0;
  virtual Result<void> sync() = 0;
  virtual Result<void> truncate(std::uint64_t through) = 0;  ///< staged, as append()
  virtual bool has_space() = 0;
  /// data_loss: the journal's disk failed behind the writer's back. failed_precondition: as above.
  /// For an idle writer to ask.
  virtual Result<void> journal_health() = 0;
  virtual std::uint64_t last_sequence() = 0;
  /// Rows after `after`, in order, at most `limit`. data_loss as of check_row(): every row that is
  /// read is checked.
  virtual Result<std::vector<JournalRow>> journal(std::uint64_t after, std::uint32_t limit) = 0;

  // The tables. cursor() is what a reader sees; sync_tables() returns the cursor that would survive
  // a power cut.
  virtual Result<void> fold(const Fold& fold, const PackHistory& pack) = 0;
  virtual Result<std::uint64_t> sync_tables() = 0;
  virtual std::uint64_t cursor() const = 0;
  /// With a run go its search attributes (labelled with it), its turn and its listeners, with an
  /// event what was kept of it. A run that another one waits for stays until that one has ended.
  virtual Result<Expired> expire(const TableExpiry& expiry) = 0;
  virtual Result<Expired> remove(const TableRemoval& removal) = 0;

  // Reads of the tables.
  virtual Result<std::uint64_t> version(const std::string& key) = 0;  ///< 0: no such stream
  virtual Result<std::optional<TableStream>> stream(const std::string& key) = 0;
  virtual Result<TableHistory> history(const std::string& key) = 0;
  virtual Result<std::vector<TableStream>> list(const Page& page) = 0;
  /// How many rows match, and the rows of `keys` (without state) as they are in the same snapshot.
  virtual Result<TableCount> count(const Page& page, const std::vector<std::string>& keys) = 0;
  /// In order of time; behind `after`, which is the last one of the page before.
  virtual Result<std::vector<TableWake>> due(Time until, const TableWake& after,
                                             std::uint32_t limit) = 0;
  virtual Result<std::optional<KeptKey>> key(const Fingerprint& fingerprint) = 0;
  virtual Result<std::int64_t> budget(const std::string& account) = 0;
  virtual Result<std::vector<FoldMessage>> outbox(std::uint64_t after, std::uint32_t limit) = 0;
  virtual Result<std::vector<std::string>> leaves(const std::string& tenant, std::uint64_t from,
                                                  std::uint32_t limit) = 0;
  virtual Result<std::uint64_t> leaf_count(const std::string& tenant) = 0;
  virtual Result<std::vector<std::string>> tenants_with_leaves() = 0;
  virtual Result<std::uint64_t> assigned_key(const std::string& tenant,
                                             const Fingerprint& subject) = 0;

  // Blobs too large for a row: durable when put_file returns; the same name again replaces it.
  virtual Result<void> put_file(const std::string& name, const std::string& bytes) = 0;
  virtual Result<std::string> file(const std::string& name) = 0;

  virtual std::uint64_t disk_bytes() const = 0;
  virtual Result<void> backup(const std::string& archive_path) = 0;
  virtual Result<void> close() = 0;
};

}  // namespace aios::store::detail

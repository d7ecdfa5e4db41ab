// SPDX-License-Identifier: Apache-2.0
#pragma once
// store/store: the journal and its views. One writer (the sequencer) checks preconditions in
// memory, orders, writes a group, syncs, answers. A caller sees its own writes: reads are the delta
// (what is not folded yet) over the tables.
// Threading: every method from any thread of an Executor; coroutines resume on the caller's
// executor. What runs where: reads of rows run inline on the calling thread, microseconds when the
// pages are in memory, a disk read when not. commit() seals inline (microseconds a KB) and waits
// for the writer without holding the thread. Blobs of more than 16 KiB and erase_subject() work on
// two threads of the store's own. What returns no Task blocks its caller, except epoch() and
// stats(), which touch no disk: never call backup(), export_keys(), disk_bytes() or close() on a
// shard.

#include "core/context.h"
#include "core/result.h"
#include "runtime/shards.h"
#include "runtime/task.h"
#include "store/transition.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aios::store {

struct StreamRow {
  StreamKind kind = StreamKind::run;
  std::string id;
  std::uint64_t version = 0;
  std::string status;
  std::string label;
  std::optional<Time> wake_at;
  StreamEnd end = StreamEnd::open;
  Time updated;         ///< wall time of the commit
  std::string state;    ///< unsealed; empty when there is none
  bool erased = false;  ///< the key was destroyed: state is gone for good
};

struct HistoryRow {
  std::uint64_t version = 0;  ///< the stream version whose write carried it
  std::uint16_t type = 0;
  Time time;
  std::string data;
  bool erased = false;
};

struct ListQuery {
  TenantId tenant;  ///< empty: the context's
  StreamKind kind = StreamKind::run;
  std::string status;         ///< empty: any
  std::string label;          ///< empty: any
  std::string after;          ///< exclusive start in id order; empty: from the first
  std::uint32_t limit = 100;  ///< 1 to 1,000
  bool newest_first = false;  ///< then `after` is an exclusive upper bound
  bool with_state = true;
};

struct WakeUp {
  TenantId tenant;
  StreamKind kind = StreamKind::run;
  std::string id;
  Time at;
};

struct OutboxRow {
  std::uint64_t id = 0;
  TenantId tenant;
  std::string topic;
  std::string ordering_key;
  std::string data;
  bool erased = false;  ///< the key was destroyed: the data is gone for good
};

/// Which closed streams are no longer kept.
struct Expiry {
  StreamKind kind = StreamKind::run;
  std::string prefix;         ///< of the kind's ids, which make_id() gave: "run"
  Time before;                ///< last written before then
  std::string after;          ///< exclusive start in id order; empty: from the oldest
  std::uint32_t limit = 500;  ///< rows that are looked at, 1 to 10,000
};
struct Expired {
  std::uint64_t streams = 0;  ///< so many are gone
  std::string next;           ///< where to go on; empty: that was all
};

struct KeyRecord {
  bool same_request = false;  ///< claimed for the digest that was asked with
  std::string value;
};

struct StoreStats {
  std::uint64_t sequence = 0;  ///< last committed
  std::uint64_t folded = 0;    ///< base tables hold everything up to here
  std::uint64_t delta_bytes = 0;
  std::uint64_t delta_bytes_max = 0;
  std::uint64_t batches = 0;  ///< group commits
  std::uint64_t syncs = 0;
  bool read_only = false;  ///< disk full: writes are refused until space returns
  /// Why the tables take up nothing at present; empty: they do. It is tried again for good, and
  /// writes are refused once the delta is at its bound.
  std::string fold_error;
  bool damaged = false;  ///< the tables cannot be folded into: writes are refused, see AIOS-0410
};

class Store {
 public:
  virtual ~Store() = default;

  /// Commits durably. Errors: aborted (a stream's version differs: read again), failed_precondition
  /// (epoch passed), already_exists (a key is taken: see key()), budget_exceeded,
  /// resource_exhausted with Retry::same_call and retry_after() (delta at its bound, disk full,
  /// tables damaged), invalid_argument (limits). A refused transition changes nothing. After
  /// cancelled or deadline_exceeded the outcome is unknown: read the stream.
  virtual Task<Result<Committed>> commit(Context ctx, Transition transition) = 0;

  virtual std::uint64_t epoch() const = 0;

  /// not_found when the stream does not exist.
  virtual Task<Result<StreamRow>> stream(Context ctx, StreamKind kind, std::string id) = 0;
  /// Oldest first; complete also while folding goes on.
  virtual Task<Result<std::vector<HistoryRow>>> history(Context ctx, StreamKind kind,
                                                        std::string id) = 0;
  virtual Task<Result<std::vector<StreamRow>>> list(Context ctx, ListQuery query) = 0;
  /// How many list() would give without bound: limit and after are ignored.
  virtual Task<Result<std::uint64_t>> count(Context ctx, ListQuery query) = 0;
  /// Streams of all tenants with wake_at <= until, earliest first.
  virtual Task<Result<std::vector<WakeUp>>> due(Context ctx, Time until, std::uint32_t limit) = 0;
  /// What was claimed under the claim's space and key, compared with its request_digest.
  virtual Task<Result<std::optional<KeyRecord>>> key(Context ctx, KeyClaim claim) = 0;
  virtual Task<Result<std::int64_t>> budget(Context ctx, std::string account) = 0;
  /// Undelivered messages of all tenants after `after`, in order.
  virtual Task<Result<std::vector<OutboxRow>>> outbox(Context ctx, std::uint64_t after,
                                                      std::uint32_t limit) = 0;
  /// Leaves of ctx.tenant from index `from`, all synced, in order.
  virtual Task<Result<std::vector<std::string>>> leaves(Context ctx, std::uint64_t from,
                                                        std::uint32_t limit) = 0;
  virtual Task<Result<std::uint64_t>> leaf_count(Context ctx) = 0;
  virtual Task<Result<std::vector<TenantId>>> tenants_with_leaves(Context ctx) = 0;

  /// Stores bytes under a per-tenant keyed hash and returns that name ("blob_" + hex); durable when
  /// it returns.
  virtual Task<Result<std::string>> put_blob(Context ctx, Payload payload) = 0;
  virtual Task<Result<std::string>> blob(Context ctx, std::string name) = 0;

  /// Takes closed streams of ctx.tenant out of the tables, with their histories; what was not
  /// folded yet is left for the next time. Nothing in the journal or the audit log says so: who
  /// calls it does. Their blobs stay. On the store's own threads.
  virtual Task<Result<Expired>> expire(Context ctx, Expiry expiry) = 0;

  /// Destroys the keys of a data subject: everything sealed for it is unreadable from then on.
  /// Returns how many keys.
  virtual Task<Result<std::uint64_t>> erase_subject(Context ctx, std::string subject) = 0;

  /// Online: tables, then the journal up to a point, then blobs, into one archive file. Keys are
  /// not in it.
  virtual Result<void> backup(const std::string& archive_path) = 0;
  /// The keystore, sealed by a passphrase (scrypt + AES-256-GCM).
  virtual Result<void> export_keys(const std::string& path, const std::string& passphrase) = 0;

  virtual StoreStats stats() const = 0;
  /// Of journal, tables and keystore with their logs; asks the file system.
  virtual std::uint64_t disk_bytes() const = 0;
  /// Folds everything and closes. Commits after it are refused with unavailable.
  virtual Result<void> close() = 0;
};

struct StoreOptions {
  std::string directory;          ///< engine sqlite: data directory, made with mode 0700
  std::string engine = "sqlite";  ///< "sqlite" or "memory"
  Duration group_window_max = std::chrono::milliseconds(2);
  std::uint32_t batch_max = 512;
  std::uint64_t delta_bytes_max = std::uint64_t{256} << 20;
  /// 32 bytes that wrap the tenants' keys; empty: made and kept in <directory>/root.key (0600).
  std::string root_key;
  /// A disk that fails to sync has lost the store's trust, and a directory that another process
  /// took over is no longer ours: called with what happened, must not return. Empty: prints it and
  /// ends the process.
  std::function<void(const std::string&)> on_fatal;
};

/// Opens or creates. Errors name the file: another format (failed_precondition), another server
/// holds the directory (unavailable, naming its pid), damage (data_loss), a key file that does not
/// fit (permission_denied). Takes what was not folded yet to fold, and a look at every page of the
/// journal and, after an end that was not orderly, of tables of up to 256 MiB: 0.2 s after an
/// orderly end, 0.7 s after a kill with 216 MB of tables and 100 MB of journal (2 cores, warm).
Result<std::unique_ptr<Store>> open_store(const StoreOptions& options, runtime::Clock& clock);

/// Builds a data directory from a backup and an exported keystore. The directory must not exist or
/// be empty.
Result<void> restore_store(const std::string& archive_path, const std::string& keys_path,
                           const std::string& passphrase, const std::string& directory);

}  // namespace aios::store

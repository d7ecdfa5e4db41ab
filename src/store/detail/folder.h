// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/folder: moves the oldest part of the delta into the tables, makes the tables' cursor
// durable from time to time and then lets the journal go below it.
// Threading: its own thread, or, inline, whoever calls notify().

#include "runtime/executor.h"
#include "store/detail/delta.h"
#include "store/detail/leaving.h"
#include "store/detail/sealer.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace aios::store::detail {

struct FolderOptions {
  bool own_thread = true;
  std::function<void(std::uint64_t)> truncate_to;
  std::function<void(const std::string&)> on_fatal;  ///< the disk failed to sync
};

class Folder {
 public:
  Folder(Engine& engine, Delta& delta, ReadGate& gate, Leaving& leaving, Sealer& sealer,
         runtime::Clock& clock);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void start(FolderOptions options);
  void notify();
  /// Folds all there is, syncs the tables, ends the thread.
  Result<void> stop();

  /// The page of what the last fold met, where the tables are damaged [AIOS-0410] or the disk fails
  /// under them [AIOS-0421]; 0: neither. The journal keeps what they lack.
  int damage() const { return damage_.load(std::memory_order_acquire); }

  /// Between two folds; what is written meanwhile stays. Any thread that may wait for the disk.
  Result<Expired> expire(TableExpiry expiry);
  /// Folds all there is first, so that nothing of the delta is missed.
  Result<Expired> remove(TableRemoval removal);

  /// While pinned, the journal keeps everything after the cursor that the tables had then.
  void pin();
  void unpin();

  /// Why nothing is folded at present; empty: folding goes on.
  std::string error() const;

 private:
  void run();
  void gather(std::unique_lock<std::mutex>& lock);
  Result<bool> step();  ///< false: nothing to do
  Result<void> drain();
  Result<void> sync();
  Result<void> sync_once();
  void note(const Result<bool>& folded);
  bool sync_is_due();
  ClaimStreams claiming(Leaving::Claim& claim) const;

  Engine& engine_;
  Delta& delta_;
  ReadGate& gate_;
  Leaving& leaving_;
  Sealer& sealer_;
  runtime::Clock& clock_;
  FolderOptions options_;
  std::mutex step_mutex_;  // one fold at a time; the pin waits for it
  std::mutex mutex_;
  std::condition_variable wake_;
  bool notified_ = false;
  bool stopping_ = false;
  bool stopped_ = false;
  std::atomic<int> damage_{0};
  std::thread thread_;
  std::uint32_t pins_ = 0;
  std::uint64_t folded_bytes_ = 0;  // since the last sync
  Instant synced_at_{0};
  mutable std::mutex error_mutex_;
  std::string error_;
};

/// Merges rows of the journal into what changes in the tables.
Fold make_fold(const std::vector<JournalRow>& rows);

}  // namespace aios::store::detail

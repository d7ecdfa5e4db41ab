// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/sequencer: the one writer. Takes transitions in order, checks their preconditions against
// delta, tables and the batch in hand, gives journal order, leaf indexes and outbox ids, writes and
// syncs a group, then answers. What was refused is answered after the sync too: it may have been
// refused because of a neighbour in its batch.
// Threading: submit() from any thread; the rest runs on the writer's thread, or, inline, on the
// submitter's executor.

#include "runtime/executor.h"
#include "runtime/one_shot.h"
#include "store/detail/delta.h"
#include "store/detail/group.h"
#include "store/detail/keyring.h"
#include "store/detail/leaving.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace aios::store::detail {

struct Submission {
  std::shared_ptr<const Record> record;
  std::string body;
  /// What the tables said when the caller looked (nothing: he did not), valid while the delta has
  /// lost nothing since and the tables no stream.
  std::vector<std::optional<std::uint64_t>> base_versions;
  std::vector<bool> base_keys_taken;
  std::uint64_t base_cursor = 0;
  std::uint64_t base_removals = 0;
  /// Of the keys that the record assigns; let go with the submission.
  std::vector<Keyring::Hold> holds;
  runtime::OneShot<Committed> done;
};

/// @param number  of the claim in its transition, from 1
Error key_is_taken(std::size_t number);

struct SequencerOptions {
  bool own_thread = true;
  Duration group_window_max = std::chrono::milliseconds(2);
  std::uint32_t batch_max = 512;
  std::uint64_t delta_bytes_max = std::uint64_t{256} << 20;
  std::function<void()> on_batch;  ///< there is something to fold
  std::function<int()> damage;     ///< why nothing can be folded: a page; 0: it can
  std::function<void(const std::string&)> on_fatal;  ///< the disk failed; must not return
};

class Sequencer {
 public:
  Sequencer(Engine& engine, Delta& delta, ReadGate& gate, Leaving& leaving, runtime::Clock& clock);
  ~Sequencer();
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  void start(SequencerOptions options);
  Result<void> submit(std::unique_ptr<Submission> submission);
  /// Commits what is queued, then refuses everything.
  void stop();

  /// Journal rows up to here may go; they go with later batches.
  void truncate_to(std::uint64_t sequence) {
    truncate_target_.store(sequence, std::memory_order_relaxed);
  }
  /// Removes them all now; after stop().
  void truncate_now();
  Result<std::int64_t> budget(const std::string& account);
  void fill(StoreStats& stats) const;

 private:
  using Batch = std::vector<std::unique_ptr<Submission>>;
  /// What the accepted transitions of a batch change, until the batch is durable.
  struct Staged {
    std::unordered_map<std::string, std::uint64_t> versions;
    std::unordered_set<Fingerprint, FingerprintHash> keys;
    std::unordered_map<std::string, std::int64_t> budgets;
    std::unordered_map<std::string, std::uint64_t> leaves;
  };
  struct Inline;

  void run();
  void idle_work();
  void wait_for_group(std::unique_lock<std::mutex>& lock);
  Batch take();
  void process(Batch batch);
  std::vector<JournalRow> accept(Batch& batch, std::vector<Result<Committed>>* answers,
                                 Staged* staged);
  Result<void> write(const std::vector<JournalRow>& rows);
  void publish(const std::vector<JournalRow>& rows, Staged staged);
  static void answer(Batch batch, std::vector<Result<Committed>> answers,
                     const Result<void>& written);
  void write_failed(const Error& error);
  std::optional<Error> refuse_by_load();

  Result<Committed> evaluate(const Submission& submission, Staged& staged, std::uint64_t sequence);
  std::optional<Error> check_streams(const Submission& submission, const Staged& staged);
  std::optional<Error> check_keys(const Submission& submission, const Staged& staged);
  std::optional<Error> check_budgets(const Record& record, const Staged& staged,
                                     std::unordered_map<std::string, std::int64_t>* moved);
  Result<std::uint64_t> version(const Submission& submission, std::size_t index,
                                const Staged& staged);
  Result<std::uint64_t> next_leaf(const std::string& tenant, const Staged& staged);
  Result<std::int64_t> balance(const std::string& account, const Staged& staged);

  Engine& engine_;
  Delta& delta_;
  ReadGate& gate_;
  Leaving& leaving_;
  runtime::Clock& clock_;
  SequencerOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Submission>> queue_;
  std::size_t wanted_ = 1;  // the writer wants to be woken at this length of the queue
  bool stopping_ = false;
  std::thread thread_;
  std::shared_ptr<Inline> inline_;

  Group group_;  // guarded by mutex_
  std::uint64_t sequence_ = 0;
  std::uint64_t truncated_ = 0;
  Instant probe_at_{0};
  std::atomic<std::uint64_t> truncate_target_{0};
  std::atomic<bool> read_only_{false};
  std::atomic<std::uint64_t> batches_{0};
  std::atomic<std::uint64_t> syncs_{0};
  std::unordered_map<std::string, std::uint64_t> next_leaf_;  // by tenant
  std::mutex balances_mutex_;
  std::unordered_map<std::string, std::int64_t>
      balances_;  // accounts touched since the store was opened
};

}  // namespace aios::store::detail

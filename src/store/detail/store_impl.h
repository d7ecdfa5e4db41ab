// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/store_impl: Store over any engine. Reads of rows run inline on the calling thread: one
// costs microseconds when its page is in memory and one disk read when it is not; callers that list
// much do so from a thread that may wait. Files and erasing run on the store's own pool.

#include "runtime/shards.h"
#include "store/detail/folder.h"
#include "store/detail/sealer.h"
#include "store/detail/sequencer.h"
#include "store/store.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace aios::store::detail {

struct OpenParts {
  StoreOptions options;
  std::unique_ptr<Engine> engine;
  std::string root_key;
  bool own_threads = true;
};

/// Folds what the journal holds beyond the tables, then serves.
Result<std::unique_ptr<Store>> open_parts(OpenParts parts, runtime::Clock& clock);

/// The transition's own bounds; what breaks one is a mistake of the caller.
Result<void> check_limits(const Context& ctx, const Transition& transition);

class StoreImpl final : public Store {
 public:
  StoreImpl(OpenParts parts, std::unique_ptr<Keyring> keyring, runtime::Clock& clock);
  ~StoreImpl() override;
  /// @param durable  what the tables hold for good: the journal may go up to here
  void start(std::uint64_t durable);

  Task<Result<Committed>> commit(Context ctx, Transition transition) override;
  std::uint64_t epoch() const override { return engine_->epoch(); }
  Task<Result<StreamRow>> stream(Context ctx, StreamKind kind, std::string id) override;
  Task<Result<std::vector<HistoryRow>>> history(Context ctx, StreamKind kind,
                                                std::string id) override;
  Task<Result<std::vector<StreamRow>>> list(Context ctx, ListQuery query) override;
  Task<Result<std::uint64_t>> count(Context ctx, ListQuery query) override;
  Task<Result<std::vector<WakeUp>>> due(Context ctx, Time until, std::uint32_t limit) override;
  Task<Result<std::optional<KeyRecord>>> key(Context ctx, KeyClaim claim) override;
  Task<Result<std::int64_t>> budget(Context ctx, std::string account) override;
  Task<Result<std::vector<OutboxRow>>> outbox(Context ctx, std::uint64_t after,
                                              std::uint32_t limit) override;
  Task<Result<std::vector<std::string>>> leaves(Context ctx, std::uint64_t from,
                                                std::uint32_t limit) override;
  Task<Result<std::uint64_t>> leaf_count(Context ctx) override;
  Task<Result<std::vector<TenantId>>> tenants_with_leaves(Context ctx) override;
  Task<Result<std::string>> put_blob(Context ctx, Payload payload) override;
  Task<Result<std::string>> blob(Context ctx, std::string name) override;
  Task<Result<Expired>> expire(Context ctx, Expiry expiry) override;
  Task<Result<std::uint64_t>> erase_subject(Context ctx, std::string subject) override;
  Result<void> backup(const std::string& archive_path) override;
  Result<void> export_keys(const std::string& path, const std::string& passphrase) override;
  StoreStats stats() const override;
  std::uint64_t disk_bytes() const override { return engine_->disk_bytes(); }
  Result<void> close() override;

 private:
  friend class Preparation;
  struct BlobPlan {
    std::string name;
    bool present = false;
    std::uint64_t version = 0;
    Transition transition;
  };
  /// Nothing when the call may go on.
  std::optional<Error> refuse(const Context& ctx) const;
  Result<std::unique_ptr<Submission>> prepare(Transition transition);
  Result<void> look_up(const Record& record, Submission* submission);
  std::optional<Error> refuse_taken_key(const Record& record, const Submission& submission) const;
  Result<std::optional<KeyRecord>> read_key(const std::string& tenant, const KeyClaim& claim);
  Result<StreamRow> read_stream(const TenantId& tenant, StreamKind kind, const std::string& id);
  Result<std::vector<HistoryRow>> read_history(const std::string& key);
  Result<std::vector<StreamRow>> read_list(const ListQuery& query);
  Result<bool> read_list_page(const ListQuery& query, std::string* cursor,
                              std::vector<StreamRow>* out);
  Result<std::uint64_t> read_count(const ListQuery& query);
  Result<std::vector<WakeUp>> read_due(Time until, std::uint32_t limit);
  Result<std::vector<OutboxRow>> read_outbox(std::uint64_t after, std::uint32_t limit);
  Result<StreamRow> to_row(const TableStream& row, bool with_state);
  Result<StreamRow> to_row(const DeltaStream& row, bool with_state);
  Result<BlobPlan> find_blob(const TenantId& tenant, const Payload& payload);
  Task<Result<BlobPlan>> plan_blob(Context ctx, std::shared_ptr<const Payload> payload);
  Task<Result<Keyring::Grant>> durable_key(Context ctx, std::string subject);
  Result<bool> keep_file(const TenantId& tenant, const std::string& name,
                         const Keyring::Grant& grant, const std::string& bytes);
  Result<std::string> read_file(const TenantId& tenant, const std::string& name);
  Result<void> forget_attributes(const std::string& tenant);
  Task<Result<Committed>> submit(Context ctx, std::unique_ptr<Submission> submission);
  /// Runs what blocks on the pool; a store without threads, or what is short, runs it here.
  template <class T>
  Task<Result<T>> off_shard(Context ctx, bool blocks, std::function<Result<T>()> work) {
    if (!blocks || !pool_) {
      co_return work();
    }
    auto done = co_await runtime::blocking(std::move(ctx), *pool_, std::move(work));
    co_return done;
  }

  StoreOptions options_;
  bool own_threads_;
  runtime::Clock& clock_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Keyring> keyring_;
  Sealer sealer_;
  Delta delta_;
  ReadGate gate_;
  Leaving leaving_;
  Folder folder_;
  Sequencer sequencer_;
  std::mutex copying_mutex_;  // a backup; closing waits for it
  std::atomic<bool> closed_{false};
  std::optional<runtime::BlockingPool> pool_;  // last: what it runs uses the rest
};

}  // namespace aios::store::detail

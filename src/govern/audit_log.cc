// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"
#include "govern/audit.h"
#include "govern/detail/rebuild.h"
#include "govern/detail/signing_key.h"
#include "govern/detail/tenant_log.h"
#include "govern/tlog.h"
#include "runtime/turnstile.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

namespace aios::govern {
namespace {

using detail::SigningKey;
using detail::TenantLog;

constexpr std::uint32_t leaves_per_read = 1000;

Result<bool> as_value(Result<void> done) {
  return done.ok() ? Result<bool>(true) : std::move(done).error();
}

class TileLog final : public AuditLog {
 public:
  TileLog(std::string directory, SigningKey key, runtime::BlockingPool* pool, Tell told)
      : directory_(std::move(directory)),
        key_(std::move(key)),
        pool_(pool),
        told_(std::move(told)) {}

  Result<void> load_all() {
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(directory_, failed)) {
      auto tenant = TenantId::parse(entry.path().filename().string());
      if (tenant.ok() && entry.is_directory(failed)) {
        auto log = log_of(*tenant);
        if (!log.ok()) {
          return std::move(log).error();
        }
      }
    }
    return {};
  }

  Task<Result<std::uint64_t>> fold(store::Store& store) override {
    auto pass = co_await turnstile_.enter(Context());
    if (!pass.ok()) {
      co_return std::move(pass).error();
    }
    auto folded = co_await fold_all(store);
    co_return folded;
  }

  std::string verifier_key() const override { return key_.verifier.text(); }

  std::uint64_t size(const TenantId& tenant) const override {
    const std::lock_guard lock(mutex_);
    const auto at = sizes_.find(tenant);
    return at == sizes_.end() ? 0 : at->second;
  }

  Result<std::string> checkpoint(const TenantId& tenant) const override {
    return detail::read_checkpoint_note(directory_ + "/" + tenant.text());
  }

 private:
  Task<Result<std::uint64_t>> fold_all(store::Store& store) {
    const Context ctx = system_context(default_tenant(), "audit");
    auto tenants = co_await store.tenants_with_leaves(ctx);
    if (!tenants.ok()) {
      co_return std::move(tenants).error();
    }
    std::uint64_t folded = 0;
    std::optional<Error> first_failure;
    for (const TenantId& tenant : *tenants) {
      auto done = co_await fold_tenant(store, tenant);
      if (done.ok()) {
        folded += *done;
        continue;
      }
      forget(tenant);  // what is in memory may be ahead of the files: all is read again next time
      if (!first_failure) {
        first_failure = std::move(done).error().with(
            fmt::format("folding the audit log of '{}'", tenant.text()));
      }
    }
    if (first_failure) {
      co_return std::move(*first_failure);
    }
    co_return folded;
  }

  void forget(const TenantId& tenant) {
    logs_.erase(tenant);
    memories_.erase(tenant);
    checked_.erase(tenant);
  }

  void note_size(const TenantId& tenant, const TenantLog& log) {
    const std::lock_guard lock(mutex_);
    sizes_[tenant] = log.lost() ? log.lost()->size : log.signed_size();
  }

  // What failed to load does not stay in the map: it is read again next time.
  Result<std::shared_ptr<TenantLog>> log_of(const TenantId& tenant) {
    const auto at = logs_.find(tenant);
    if (at != logs_.end()) {
      return at->second;
    }
    auto log = std::make_shared<TenantLog>(directory_ + "/" + tenant.text(),
                                           key_.verifier.name + "/" + tenant.text());
    auto loaded = log->load(key_);
    if (!loaded.ok()) {
      return std::move(loaded).error();
    }
    logs_[tenant] = log;
    note_size(tenant, *log);
    return log;
  }

  /// The log in memory or, when somebody has taken files of it away since, as the folder has it
  /// now: continued over a gap it would verify nowhere.
  Task<Result<std::shared_ptr<TenantLog>>> whole_log(Context ctx) {
    const TenantId tenant = ctx.tenant;
    auto found = log_of(tenant);
    if (!found.ok() || !memories_.contains(tenant)) {  // read just now
      co_return found;
    }
    std::function<Result<bool>()> work = [log = *found] { return Result<bool>(log->intact()); };
    auto intact = co_await carry_out(std::move(ctx), std::move(work));
    if (!intact.ok()) {
      co_return std::move(intact).error();
    }
    if (!*intact) {
      forget(tenant);
      found = log_of(tenant);
    }
    co_return found;
  }

  Task<Result<void>> check_store(store::Store& store, Context ctx, std::shared_ptr<TenantLog> log) {
    auto count = co_await store.leaf_count(ctx);
    if (!count.ok()) {
      co_return std::move(count).error();
    }
    if (*count < log->signed_size()) {
      const std::string what =
          fmt::format("the store has {} leaves, the log has signed {}", *count, log->signed_size());
      co_return Error(Code::data_loss, what).page(524);
    }
    if (log->signed_size() == 0 || checked_.contains(ctx.tenant)) {
      co_return Result<void>();
    }
    const std::uint64_t from = log->edge();
    const auto wanted = static_cast<std::uint32_t>(log->signed_size() - from);
    auto leaves = co_await store.leaves(ctx, from, wanted);
    if (!leaves.ok()) {
      co_return std::move(leaves).error();
    }
    auto same = log->compare_edge(*leaves);
    if (same.ok()) {
      checked_.insert(ctx.tenant);
    }
    co_return same;
  }

  Task<Result<std::uint64_t>> fold_tenant(store::Store& store, TenantId tenant) {
    const Context ctx = system_context(tenant, "audit");
    auto found = co_await whole_log(ctx);
    if (!found.ok()) {
      co_return std::move(found).error();
    }
    const std::shared_ptr<TenantLog> log = *found;
    auto checked = co_await check_store(store, ctx, log);
    if (!checked.ok()) {
      co_return std::move(checked).error();
    }
    if (!memories_.contains(tenant)) {
      auto memory = co_await detail::settle(store, ctx, log, verifier_key(), told_);
      if (!memory.ok()) {
        co_return std::move(memory).error();
      }
      memories_[tenant] = std::move(*memory);
    }
    auto appended = co_await append_new(store, ctx, log);
    if (!appended.ok()) {
      co_return std::move(appended).error();
    }
    const std::uint64_t fresh = log->size() - log->signed_size();
    if (fresh > 0) {
      std::function<Result<bool>()> work = [log, key = key_] { return as_value(log->sign(key)); };
      auto done = co_await carry_out(ctx, std::move(work));
      if (!done.ok()) {
        co_return std::move(done).error();
      }
      note_size(tenant, *log);
    }
    auto kept = co_await remember_signed(store, ctx, log);
    if (!kept.ok()) {
      co_return std::move(kept).error();
    }
    co_return fresh;
  }

  /// After the checkpoint: a crash between the two leaves a log ahead of what is remembered.
  Task<Result<void>> remember_signed(store::Store& store, Context ctx,
                                     std::shared_ptr<TenantLog> log) {
    detail::SignedMemory memory = memories_.at(ctx.tenant);
    const TenantId tenant = ctx.tenant;
    if (memory.size == log->signed_size() && memory.key == verifier_key()) {
      co_return Result<void>();
    }
    memory.size = log->signed_size();
    memory.root = log->root();
    memory.key = verifier_key();
    std::vector<store::AuditLeaf> none;
    auto kept =
        co_await detail::remember(store, std::move(ctx), std::move(memory), std::move(none));
    if (kept.ok()) {
      memories_[tenant] = std::move(*kept);
      co_return Result<void>();
    }
    // A store that takes no writes for a while takes no leaves either: the next fold remembers.
    co_return kept.error().retry() == Retry::same_call ? Result<void>() : std::move(kept).error();
  }

  Task<Result<void>> append_new(store::Store& store, Context ctx, std::shared_ptr<TenantLog> log) {
    for (;;) {
      auto leaves = co_await store.leaves(ctx, log->size(), leaves_per_read);
      if (!leaves.ok()) {
        co_return std::move(leaves).error();
      }
      if (leaves->empty()) {
        co_return Result<void>();
      }
      std::function<Result<bool>()> work = [log, batch = std::move(*leaves)] {
        return as_value(log->append(batch));
      };
      auto written = co_await carry_out(ctx, std::move(work));
      if (!written.ok()) {
        co_return std::move(written).error();
      }
    }
  }

  Task<Result<bool>> carry_out(Context ctx, std::function<Result<bool>()> work) {
    if (pool_ == nullptr) {
      co_return work();
    }
    auto done = co_await runtime::blocking(std::move(ctx), *pool_, std::move(work));
    co_return done;
  }

  std::string directory_;
  SigningKey key_;
  runtime::BlockingPool* pool_;
  Tell told_;
  std::map<TenantId, std::shared_ptr<TenantLog>> logs_;
  std::map<TenantId, detail::SignedMemory> memories_;  // of logs that were held against the store
  runtime::Turnstile turnstile_{{}};  // one fold at a time: the next ones wait for their turn
  mutable std::mutex mutex_;
  std::map<TenantId, std::uint64_t> sizes_;  // guarded by mutex_
  std::set<TenantId> checked_;               // whose store was seen to hold what was signed
};

/// The folder of a log that was signed; empty when there is none.
std::string signed_log(const std::string& directory) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    if (std::filesystem::exists(entry.path() / "checkpoint", failed)) {
      return entry.path().string();
    }
  }
  return "";
}

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::open(const std::string& directory,
                                                 const std::string& key_path,
                                                 const std::string& new_origin,
                                                 runtime::BlockingPool* pool, Tell told) {
  if (!is_note_name(new_origin)) {
    return Error(Code::invalid_argument,
                 fmt::format("the audit origin '{}' is empty or has a space or '+'",
                             excerpt(new_origin, 60)))
        .page(520);
  }
  std::error_code ignored;
  const std::string log_there = signed_log(directory);
  if (!log_there.empty() && !std::filesystem::exists(key_path, ignored)) {
    return Error(
               Code::failed_precondition,
               fmt::format("the audit signing key '{}' is missing, the log '{}' was signed with it",
                           key_path, log_there))
        .page(528);
  }
  auto key = detail::open_key(key_path, new_origin);
  if (!key.ok()) {
    return std::move(key).error();
  }
  auto log = std::make_unique<TileLog>(directory, std::move(*key), pool, std::move(told));
  auto loaded = log->load_all();
  if (!loaded.ok()) {
    return std::move(loaded).error();
  }
  return std::unique_ptr<AuditLog>(std::move(log));
}

}  // namespace aios::govern

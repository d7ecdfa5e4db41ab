// SPDX-License-Identifier: Apache-2.0
#include "store/detail/memory_access.h"
#include "store/detail/memory_engine.h"
#include "store/detail/memory_keystore.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

namespace aios::store::detail {
namespace {

class MemoryEngine final : public Engine {
 public:
  MemoryEngine(std::shared_ptr<MemoryDisk> disk, std::uint64_t generation, std::uint64_t epoch)
      : disk_(std::move(disk)),
        generation_(generation),
        epoch_(epoch),
        keystore_(memory_keystore(*disk_, generation)) {
    cursor_ = disk_->impl().tables.cursor;
  }

  std::uint64_t epoch() const override { return epoch_; }
  KeyStore& keystore() override { return *keystore_; }

  Result<void> append(const std::vector<JournalRow>& rows) override {
    staged_ = rows;
    return {};
  }
  Result<void> truncate(std::uint64_t through) override {
    truncate_through_ = through;
    return {};
  }
  Result<void> sync() override {
    MemoryAccess disk(*disk_, generation_);
    wait_while_held(disk);
    auto staged = std::exchange(staged_, {});
    if (disk->generation != generation_) {
      return lost_power();
    }
    if (std::exchange(disk->break_sync, false)) {
      return Error(Code::data_loss, "the disk failed to sync the journal").page(421);
    }
    if (disk->full) {
      return Error(Code::resource_exhausted, "the disk is full", Retry::same_call).page(405);
    }
    for (JournalRow& row : staged) {
      disk->last_sequence = row.sequence;
      row.record = nullptr;
      disk->journal.emplace(row.sequence, std::move(row));
    }
    disk->journal.erase(disk->journal.begin(), disk->journal.upper_bound(truncate_through_));
    return {};
  }
  bool has_space() override {
    MemoryAccess disk(*disk_, generation_);
    return !disk->full;
  }
  Result<void> journal_health() override { return {}; }
  std::uint64_t last_sequence() override {
    MemoryAccess disk(*disk_, generation_);
    return disk->last_sequence;
  }
  Result<std::vector<JournalRow>> journal(std::uint64_t after, std::uint32_t limit) override {
    MemoryAccess disk(*disk_, generation_);
    std::vector<JournalRow> out;
    for (auto it = disk->journal.upper_bound(after);
         it != disk->journal.end() && out.size() < limit; ++it) {
      if (auto whole = check_row(it->second, "memory"); !whole.ok()) {
        return std::move(whole).error();
      }
      out.push_back(it->second);
    }
    return out;
  }

  Result<void> fold(const Fold& fold, const PackHistory& pack) override;
  Result<std::uint64_t> sync_tables() override {
    MemoryAccess disk(*disk_, generation_);
    if (!disk.alive()) {
      return lost_power();
    }
    if (disk->tables_volatile) {
      disk->durable_tables = disk->tables;
    }
    return disk->tables.cursor;
  }
  std::uint64_t cursor() const override { return cursor_.load(std::memory_order_acquire); }
  Result<Expired> expire(const TableExpiry& expiry) override {
    return take_out([&](const MemoryTables& tables) { return tables.find_expired(expiry); },
                    expiry.claim,
                    [&](MemoryTables& tables, const std::string& key) {
                      tables.remove_belongings(expiry.kind, expiry.tenant, std::string(id_of(key)));
                    });
  }
  Result<Expired> remove(const TableRemoval& removal) override {
    return take_out([&](const MemoryTables& tables) { return tables.find_gone(removal); },
                    removal.claim, [](MemoryTables&, const std::string&) {});
  }

  Result<std::uint64_t> version(const std::string& key) override {
    MemoryAccess disk(*disk_, generation_);
    auto found = disk->tables.streams.find(key);
    return found == disk->tables.streams.end() ? std::uint64_t{0} : found->second.version;
  }
  Result<std::optional<TableStream>> stream(const std::string& key) override {
    MemoryAccess disk(*disk_, generation_);
    auto found = disk->tables.streams.find(key);
    return found == disk->tables.streams.end() ? std::nullopt : std::optional(found->second);
  }
  Result<TableHistory> history(const std::string& key) override {
    MemoryAccess disk(*disk_, generation_);
    TableHistory out;
    if (auto found = disk->tables.streams.find(key); found != disk->tables.streams.end()) {
      out.version = found->second.version;
      out.chunks = disk->tables.history[key];
    }
    return out;
  }
  Result<std::vector<TableStream>> list(const Page& page) override;
  Result<TableCount> count(const Page& page, const std::vector<std::string>& keys) override;
  Result<std::vector<TableWake>> due(Time until, const TableWake& after,
                                     std::uint32_t limit) override;
  Result<std::optional<KeptKey>> key(const Fingerprint& fingerprint) override;
  Result<std::int64_t> budget(const std::string& account) override {
    MemoryAccess disk(*disk_, generation_);
    auto found = disk->tables.budgets.find(account);
    return found == disk->tables.budgets.end() ? 0 : found->second;
  }
  Result<std::vector<FoldMessage>> outbox(std::uint64_t after, std::uint32_t limit) override {
    MemoryAccess disk(*disk_, generation_);
    std::vector<FoldMessage> out;
    const auto& rows = disk->tables.outbox;
    for (auto it = rows.upper_bound(after); it != rows.end() && out.size() < limit; ++it) {
      out.push_back(it->second);
    }
    return out;
  }
  Result<std::vector<std::string>> leaves(const std::string& tenant, std::uint64_t from,
                                          std::uint32_t limit) override;
  Result<std::uint64_t> leaf_count(const std::string& tenant) override {
    MemoryAccess disk(*disk_, generation_);
    auto found = disk->tables.leaves.find(tenant);
    return found == disk->tables.leaves.end() ? std::uint64_t{0} : found->second.size();
  }
  Result<std::vector<std::string>> tenants_with_leaves() override {
    MemoryAccess disk(*disk_, generation_);
    std::vector<std::string> out;
    for (const auto& [tenant, log] : disk->tables.leaves) {
      out.push_back(tenant);
    }
    return out;
  }
  Result<std::uint64_t> assigned_key(const std::string& tenant,
                                     const Fingerprint& subject) override {
    MemoryAccess disk(*disk_, generation_);
    auto found = disk->tables.assigned.find(account_key(tenant, view(subject)));
    return found == disk->tables.assigned.end() ? std::uint64_t{0} : found->second;
  }

  Result<void> put_file(const std::string& name, const std::string& bytes) override {
    MemoryAccess disk(*disk_, generation_);
    wait_while_held(disk);
    if (disk->generation != generation_) {
      return lost_power();
    }
    disk->files.insert_or_assign(name, bytes);
    return {};
  }
  Result<std::string> file(const std::string& name) override {
    MemoryAccess disk(*disk_, generation_);
    auto found = disk->files.find(name);
    if (found == disk->files.end()) {
      return Error(Code::data_loss, fmt::format("blob file '{}' is missing", name)).page(410);
    }
    return found->second;
  }
  std::uint64_t disk_bytes() const override { return 0; }
  Result<void> backup(const std::string&) override {
    return Error(Code::unimplemented, "the memory engine has nothing that a backup could keep")
        .page(418);
  }
  Result<void> close() override { return {}; }

 private:
  /// The disk is not locked while the claim waits for the writer, who may be waiting for the disk.
  Result<Expired> take_out(
      const std::function<MemoryTables::Leavers(const MemoryTables&)>& find,
      const ClaimStreams& claim,
      const std::function<void(MemoryTables&, const std::string& key)>& along) {
    MemoryTables::Leavers found;
    std::function<void()> before_claim;
    {
      MemoryAccess disk(*disk_, generation_);
      found = find(disk->tables);
      before_claim = std::exchange(disk->before_claim, nullptr);
    }
    if (before_claim) {
      before_claim();
    }
    const std::vector<bool> may_go = claim(found.keys);
    MemoryAccess disk(*disk_, generation_);
    if (!disk.alive()) {
      return lost_power();
    }
    for (std::size_t i = 0; i < may_go.size(); ++i) {
      if (may_go[i]) {
        disk->tables.take_out(found.keys[i]);
        along(disk->tables, found.keys[i]);
        ++found.page.streams;
      }
    }
    return std::move(found.page);
  }
  void wait_while_held(MemoryAccess& disk) const {
    ++disk->held;
    disk->released.wait(disk.lock(),
                        [&] { return !disk->hold_syncs || disk->generation != generation_; });
    --disk->held;
  }
  static bool matches(const TableStream& row, const Page& page) {
    return (page.status.empty() || row.status == page.status) &&
           (page.label.empty() || row.label == page.label);
  }

  std::shared_ptr<MemoryDisk> disk_;
  std::uint64_t generation_;
  std::uint64_t epoch_;
  std::unique_ptr<KeyStore> keystore_;
  std::atomic<std::uint64_t> cursor_{0};
  std::vector<JournalRow> staged_;
  std::uint64_t truncate_through_ = 0;
};

// Packing asks the keyring, which may be asking this disk: it is done before the disk is locked.
// Nobody else changes histories meanwhile.
Result<void> MemoryEngine::fold(const Fold& fold, const PackHistory& pack) {
  std::unordered_map<std::string, std::string> packed;
  for (const FoldStream& stream : fold.streams) {
    if (stream.row.end != StreamEnd::closed) {
      continue;
    }
    std::vector<std::string> chunks;
    {
      MemoryAccess disk(*disk_, generation_);
      if (auto found = disk->tables.history.find(stream.row.key);
          found != disk->tables.history.end()) {
        chunks = found->second;
      }
    }
    if (!stream.events.empty()) {
      chunks.push_back(stream.events);
    }
    packed.emplace(stream.row.key, pack(stream.row.key, chunks));
  }
  MemoryAccess disk(*disk_, generation_);
  if (!disk.alive()) {
    return lost_power();
  }
  if (disk->tables_full) {
    return Error(Code::resource_exhausted, "the disk is full", Retry::same_call).page(405);
  }
  if (disk->tables_damaged) {
    return Error(Code::data_loss, "page 7 of the tables is damaged").page(410);
  }
  disk->tables.fold(fold, [&](const std::string& key, const std::vector<std::string>&) {
    return packed.at(key);
  });
  cursor_.store(fold.through, std::memory_order_release);
  return {};
}

Result<std::vector<TableStream>> MemoryEngine::list(const Page& page) {
  MemoryAccess disk(*disk_, generation_);
  const auto& rows = disk->tables.streams;
  const std::string low = stream_key(page.kind, page.tenant, "");
  const std::string high = low + '\xff';
  auto first = rows.upper_bound(page.newest_first || page.after.empty() ? low : low + page.after);
  auto last = rows.lower_bound(!page.newest_first || page.after.empty() ? high : low + page.after);
  std::vector<TableStream> out;
  while (first != last && out.size() < page.limit) {
    const TableStream& row = page.newest_first ? (--last)->second : (first++)->second;
    if (matches(row, page)) {
      out.push_back(row);
    }
  }
  return out;
}

Result<TableCount> MemoryEngine::count(const Page& page, const std::vector<std::string>& keys) {
  MemoryAccess disk(*disk_, generation_);
  const auto& rows = disk->tables.streams;
  const std::string low = stream_key(page.kind, page.tenant, "");
  TableCount out;
  for (auto it = rows.upper_bound(low); it != rows.end() && it->first.starts_with(low); ++it) {
    out.matching += matches(it->second, page) ? 1 : 0;
  }
  for (const std::string& key : keys) {
    if (auto found = rows.find(key); found != rows.end()) {
      out.rows.push_back(found->second);
    }
  }
  return out;
}

Result<std::vector<TableWake>> MemoryEngine::due(Time until, const TableWake& after,
                                                 std::uint32_t limit) {
  MemoryAccess disk(*disk_, generation_);
  const auto& wakes = disk->tables.wakes;
  std::vector<TableWake> out;
  for (auto it = wakes.upper_bound({after.at.ns, after.key});
       it != wakes.end() && out.size() < limit; ++it) {
    if (it->first > until.ns) {
      break;
    }
    out.push_back({it->second, disk->tables.streams.at(it->second).version, Time{it->first}, 0});
  }
  return out;
}

Result<std::optional<KeptKey>> MemoryEngine::key(const Fingerprint& fingerprint) {
  MemoryAccess disk(*disk_, generation_);
  for (const auto& [day, rows] : disk->tables.keys) {
    if (auto found = rows.find(fingerprint); found != rows.end()) {
      return std::optional(found->second);
    }
  }
  return std::optional<KeptKey>();
}

Result<std::vector<std::string>> MemoryEngine::leaves(const std::string& tenant, std::uint64_t from,
                                                      std::uint32_t limit) {
  MemoryAccess disk(*disk_, generation_);
  std::vector<std::string> out;
  auto found = disk->tables.leaves.find(tenant);
  if (found != disk->tables.leaves.end()) {
    for (std::uint64_t i = from; i < found->second.size() && out.size() < limit; ++i) {
      out.push_back(found->second[i]);
    }
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Engine>> open_memory_engine(std::shared_ptr<MemoryDisk> disk) {
  std::uint64_t generation = 0;
  std::uint64_t epoch = 0;
  {
    std::lock_guard lock(disk->impl().mutex);
    generation = ++disk->impl().generation;
    epoch = ++disk->impl().epoch;
  }
  return std::unique_ptr<Engine>(
      std::make_unique<MemoryEngine>(std::move(disk), generation, epoch));
}

}  // namespace aios::store::detail

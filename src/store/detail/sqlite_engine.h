// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/sqlite_engine: a data directory: lock, root.key, journal.db, tables.db, keystore.db,
// blobs/.

#include "store/detail/engine.h"
#include "store/detail/files.h"
#include "store/detail/sqlite_journal.h"
#include "store/detail/sqlite_keystore.h"
#include "store/detail/sqlite_tables.h"

#include <memory>
#include <string>

namespace aios::store::detail {

struct DirectoryLayout {
  std::string directory;
  std::string root_key() const { return directory + "/root.key"; }
  std::string journal() const { return directory + "/journal.db"; }
  std::string tables() const { return directory + "/tables.db"; }
  std::string keystore() const { return directory + "/keystore.db"; }
  std::string blobs() const { return directory + "/blobs"; }
  std::string blob_directory(const std::string& name) const {
    return blobs() + "/" + name.substr(5, 2);
  }
  std::string blob(const std::string& name) const { return blob_directory(name) + "/" + name; }
};
constexpr std::uint64_t blob_file_bytes_max = std::uint64_t{128} << 20;

class SqliteEngine final : public Engine {
 public:
  /// @param root_key  empty: the directory's own, made at first use.
  static Result<std::unique_ptr<SqliteEngine>> open(const std::string& directory,
                                                    const std::string& root_key,
                                                    const JournalLog& log);
  const std::string& root_key() const { return root_key_; }

  std::uint64_t epoch() const override { return journal_->epoch(); }
  KeyStore& keystore() override { return *keystore_; }
  Result<void> append(const std::vector<JournalRow>& rows) override {
    return journal_->append(rows);
  }
  Result<void> sync() override { return journal_->sync(); }
  Result<void> truncate(std::uint64_t through) override { return journal_->truncate(through); }
  bool has_space() override;
  Result<void> journal_health() override { return journal_->idle_health(); }
  std::uint64_t last_sequence() override { return last_sequence_; }
  Result<std::vector<JournalRow>> journal(std::uint64_t after, std::uint32_t limit) override {
    return journal_->rows(after, limit);
  }
  Result<void> fold(const Fold& fold, const PackHistory& pack) override {
    return tables_->fold(fold, pack);
  }
  Result<std::uint64_t> sync_tables() override { return tables_->sync(); }
  std::uint64_t cursor() const override { return tables_->cursor(); }
  Result<Expired> expire(const TableExpiry& expiry) override { return tables_->expire(expiry); }
  Result<Expired> remove(const TableRemoval& removal) override { return tables_->remove(removal); }

  Result<std::uint64_t> version(const std::string& key) override { return tables_->version(key); }
  Result<std::optional<TableStream>> stream(const std::string& key) override {
    return tables_->stream(key);
  }
  Result<TableHistory> history(const std::string& key) override { return tables_->history(key); }
  Result<std::vector<TableStream>> list(const Page& page) override { return tables_->list(page); }
  Result<TableCount> count(const Page& page, const std::vector<std::string>& keys) override {
    return tables_->count(page, keys);
  }
  Result<std::vector<TableWake>> due(Time until, const TableWake& after,
                                     std::uint32_t limit) override {
    return tables_->due(until, after, limit);
  }
  Result<std::optional<KeptKey>> key(const Fingerprint& fingerprint) override {
    return tables_->key(fingerprint);
  }
  Result<std::int64_t> budget(const std::string& account) override {
    return tables_->budget(account);
  }
  Result<std::vector<FoldMessage>> outbox(std::uint64_t after, std::uint32_t limit) override {
    return tables_->outbox(after, limit);
  }
  Result<std::vector<std::string>> leaves(const std::string& tenant, std::uint64_t from,
                                          std::uint32_t limit) override {
    return tables_->leaves(tenant, from, limit);
  }
  Result<std::uint64_t> leaf_count(const std::string& tenant) override {
    return tables_->leaf_count(tenant);
  }
  Result<std::vector<std::string>> tenants_with_leaves() override {
    return tables_->tenants_with_leaves();
  }
  Result<std::uint64_t> assigned_key(const std::string& tenant,
                                     const Fingerprint& subject) override {
    return tables_->assigned_key(tenant, subject);
  }

  Result<void> put_file(const std::string& name, const std::string& bytes) override;
  Result<std::string> file(const std::string& name) override;
  std::uint64_t disk_bytes() const override;
  Result<void> backup(const std::string& archive_path) override;
  Result<void> close() override;

 private:
  explicit SqliteEngine(DirectoryLayout layout) : layout_(std::move(layout)) {}
  DirectoryLayout layout_;
  DirectoryLock lock_;
  std::string root_key_;
  std::unique_ptr<SqliteJournal> journal_;
  std::unique_ptr<SqliteTables> tables_;
  std::unique_ptr<SqliteKeyStore> keystore_;
  std::uint64_t last_sequence_ = 0;
};

}  // namespace aios::store::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/sqlite_keystore: keystore.db, synchronous=FULL, removed keys overwritten. Reads have a
// connection of their own: they do not wait for somebody's sync. Threading: any.

#include "store/detail/keystore.h"
#include "store/detail/sqlite_db.h"

#include <memory>
#include <mutex>
#include <string>

namespace aios::store::detail {

class SqliteKeyStore final : public KeyStore {
 public:
  static Result<std::unique_ptr<SqliteKeyStore>> open(const std::string& path);
  Result<std::string> root_check() override;
  Result<void> set_root_check(const std::string& sealed) override;
  Result<std::optional<std::string>> tenant_key(const std::string& tenant) override;
  Result<std::uint64_t> next_id() override;
  Result<void> add(const WrappedKey& tenant, const std::vector<WrappedKey>& keys,
                   std::uint64_t next_id) override;
  Result<std::optional<WrappedKey>> key(std::uint64_t id) override;
  Result<std::uint64_t> destroy(const std::vector<std::uint64_t>& ids) override;
  Result<KeyStoreImage> image() override;
  /// Fills an empty keystore.
  Result<void> load(const KeyStoreImage& image);

 private:
  SqliteKeyStore(std::unique_ptr<Db> db, std::unique_ptr<Db> reader)
      : db_(std::move(db)),
        reader_(std::move(reader)) {}
  Result<void> keep_log_short();
  Result<void> add_rows(const std::vector<WrappedKey>& tenants, const std::vector<WrappedKey>& keys,
                        std::uint64_t next_id);
  Result<void> in_transaction(const std::vector<WrappedKey>& tenants,
                              const std::vector<WrappedKey>& keys, std::uint64_t next_id);
  std::mutex mutex_;
  std::unique_ptr<Db> db_;
  std::uint32_t adds_ = 0;  // since the log was copied
  std::mutex reader_mutex_;
  std::unique_ptr<Db> reader_;
};

/// The tables of an empty keystore, those that are there left as they are.
Result<void> create_keystore(Db& db);

}  // namespace aios::store::detail

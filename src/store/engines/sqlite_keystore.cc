// SPDX-License-Identifier: Apache-2.0
#include "store/detail/sqlite_keystore.h"

#include "core/failpoint.h"

namespace aios::store::detail {
namespace {

constexpr const char* root_check_name = "root_check";
constexpr const char* next_id_name = "next_id";
constexpr std::uint32_t adds_between_copies = 16;  // at most about 1 MB of log

}  // namespace

Result<void> create_keystore(Db& db) {
  return db.run(
      "CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
      "CREATE TABLE IF NOT EXISTS tenants(name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT "
      "ROWID;"
      "CREATE TABLE IF NOT EXISTS keys(id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, wrapped BLOB "
      "NOT NULL);");
}

Result<std::unique_ptr<SqliteKeyStore>> SqliteKeyStore::open(const std::string& path) {
  auto db = Db::open(path, Access::write);
  if (!db.ok()) {
    return std::move(db).error();
  }
  auto ready = (*db)->run("PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;");
  if (ready.ok()) {
    ready = create_keystore(**db);
  }
  if (ready.ok()) {
    auto copied = (*db)->checkpoint(Db::Checkpoint::truncate);
    ready = copied.ok() ? Result<void>() : Result<void>(std::move(copied).error());
  }
  if (!ready.ok()) {
    return std::move(ready).error();
  }
  auto reader = Db::open(path, Access::read);
  if (!reader.ok()) {
    return std::move(reader).error();
  }
  return std::unique_ptr<SqliteKeyStore>(new SqliteKeyStore(*std::move(db), *std::move(reader)));
}

Result<std::string> SqliteKeyStore::root_check() {
  std::lock_guard lock(mutex_);
  auto query = db_->prepare("SELECT value FROM meta WHERE name = ?");
  auto row = query.text(1, root_check_name).step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  return *row ? std::string(query.bytes(0)) : std::string();
}

Result<void> SqliteKeyStore::set_root_check(const std::string& sealed) {
  std::lock_guard lock(mutex_);
  return db_->prepare("INSERT OR REPLACE INTO meta(name, value) VALUES(?, ?)")
      .text(1, root_check_name)
      .blob(2, sealed)
      .run();
}

Result<std::optional<std::string>> SqliteKeyStore::tenant_key(const std::string& tenant) {
  std::lock_guard lock(reader_mutex_);
  auto query = reader_->prepare("SELECT wrapped FROM tenants WHERE name = ?");
  auto row = query.text(1, tenant).step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  return *row ? std::optional(std::string(query.bytes(0))) : std::nullopt;
}

Result<std::uint64_t> SqliteKeyStore::next_id() {
  std::lock_guard lock(mutex_);
  auto query = db_->prepare("SELECT value FROM meta WHERE name = ?");
  auto row = query.text(1, next_id_name).step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  return *row ? static_cast<std::uint64_t>(query.integer(0)) : std::uint64_t{1};
}

Result<void> SqliteKeyStore::add(const WrappedKey& tenant, const std::vector<WrappedKey>& keys,
                                 std::uint64_t next_id) {
  std::vector<WrappedKey> tenants;
  if (!tenant.wrapped.empty()) {
    tenants.push_back(tenant);
  }
  std::lock_guard lock(mutex_);
  auto added = in_transaction(tenants, keys, next_id);
  AIOS_FAILPOINT("keystore.key_added");
  return added.ok() ? keep_log_short() : added;
}

/// What was added is durable: only a disk that failed is an error here. Without room, or while
/// somebody reads, the log stays as it is until the next time.
Result<void> SqliteKeyStore::keep_log_short() {
  if (++adds_ < adds_between_copies) {
    return {};
  }
  adds_ = 0;
  auto copied = db_->checkpoint(Db::Checkpoint::passive);
  if (!copied.ok() && copied.error().code() == Code::data_loss) {
    return std::move(copied).error();
  }
  return {};
}

Result<void> SqliteKeyStore::in_transaction(const std::vector<WrappedKey>& tenants,
                                            const std::vector<WrappedKey>& keys,
                                            std::uint64_t next_id) {
  auto done = db_->prepare("BEGIN IMMEDIATE").run();
  if (done.ok()) {
    done = add_rows(tenants, keys, next_id);
  }
  if (done.ok()) {
    done = db_->prepare("COMMIT").run();
  }
  if (!done.ok()) {
    db_->roll_back();
  }
  return done;
}

Result<void> SqliteKeyStore::add_rows(const std::vector<WrappedKey>& tenants,
                                      const std::vector<WrappedKey>& keys, std::uint64_t next_id) {
  for (const WrappedKey& row : tenants) {
    auto insert = db_->prepare("INSERT INTO tenants(name, wrapped) VALUES(?, ?)");
    if (auto in = insert.text(1, row.tenant).blob(2, row.wrapped).run(); !in.ok()) {
      return in;
    }
  }
  for (const WrappedKey& row : keys) {
    auto insert = db_->prepare("INSERT INTO keys(id, tenant, wrapped) VALUES(?, ?, ?)");
    insert.integer(1, static_cast<std::int64_t>(row.id)).text(2, row.tenant).blob(3, row.wrapped);
    if (auto in = insert.run(); !in.ok()) {
      return in;
    }
  }
  return db_->prepare("INSERT OR REPLACE INTO meta(name, value) VALUES(?, ?)")
      .text(1, next_id_name)
      .integer(2, static_cast<std::int64_t>(next_id))
      .run();
}

Result<std::optional<WrappedKey>> SqliteKeyStore::key(std::uint64_t id) {
  std::lock_guard lock(reader_mutex_);
  auto query = reader_->prepare("SELECT tenant, wrapped FROM keys WHERE id = ?");
  auto row = query.integer(1, static_cast<std::int64_t>(id)).step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  if (!*row) {
    return std::optional<WrappedKey>();
  }
  return std::optional(WrappedKey{id, std::string(query.bytes(0)), std::string(query.bytes(1))});
}

Result<std::uint64_t> SqliteKeyStore::destroy(const std::vector<std::uint64_t>& ids) {
  std::lock_guard lock(mutex_);
  std::uint64_t gone = 0;
  for (const std::uint64_t id : ids) {
    auto removed = db_->prepare("DELETE FROM keys WHERE id = ?")
                       .integer(1, static_cast<std::int64_t>(id))
                       .run();
    if (!removed.ok()) {
      return std::move(removed).error();
    }
    auto changes = db_->one_integer("SELECT changes()");
    if (!changes.ok()) {
      return std::move(changes).error();
    }
    gone += static_cast<std::uint64_t>(*changes);
  }
  // The log still holds the page as it was: empty it, so that the key is nowhere in our files.
  auto copied = db_->checkpoint(Db::Checkpoint::truncate);
  if (!copied.ok()) {
    return std::move(copied).error();
  }
  if (!*copied) {
    return Error(Code::unavailable,
                 "the key is removed, but a reader kept its old page in the keystore's log",
                 Retry::same_call)
        .page(413);
  }
  adds_ = 0;
  return gone;
}

Result<KeyStoreImage> SqliteKeyStore::image() {
  KeyStoreImage image;
  auto check = root_check();
  auto next = next_id();
  if (!check.ok() || !next.ok()) {
    return check.ok() ? std::move(next).error() : std::move(check).error();
  }
  image.root_check = *check;
  image.next_id = *next;
  std::lock_guard lock(mutex_);
  auto tenants = db_->prepare("SELECT name, wrapped FROM tenants");
  for (auto more = tenants.step(); !more.ok() || *more; more = tenants.step()) {
    if (!more.ok()) {
      return std::move(more).error();
    }
    image.tenants.push_back({0, std::string(tenants.bytes(0)), std::string(tenants.bytes(1))});
  }
  auto keys = db_->prepare("SELECT id, tenant, wrapped FROM keys ORDER BY id");
  for (auto more = keys.step(); !more.ok() || *more; more = keys.step()) {
    if (!more.ok()) {
      return std::move(more).error();
    }
    image.keys.push_back({static_cast<std::uint64_t>(keys.integer(0)), std::string(keys.bytes(1)),
                          std::string(keys.bytes(2))});
  }
  return image;
}

Result<void> SqliteKeyStore::load(const KeyStoreImage& image) {
  if (auto set = set_root_check(image.root_check); !set.ok()) {
    return set;
  }
  std::lock_guard lock(mutex_);
  return in_transaction(image.tenants, image.keys, image.next_id);
}

}  // namespace aios::store::detail

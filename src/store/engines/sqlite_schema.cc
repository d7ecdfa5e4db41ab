// SPDX-License-Identifier: Apache-2.0
// What tables.db looks like, and how it is opened.
#include "store/detail/files.h"
#include "store/detail/sqlite_tables.h"

#include <fmt/format.h>

namespace aios::store::detail {
namespace {

/// Read whole in about a second.
constexpr std::uint64_t checked_bytes_max = std::uint64_t{256} << 20;

constexpr std::string_view schema = R"(
CREATE TABLE IF NOT EXISTS cursor(one INTEGER PRIMARY KEY CHECK(one = 1), value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tenants(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS streams(row INTEGER PRIMARY KEY, kind INTEGER NOT NULL,
  tenant INTEGER NOT NULL,
  id TEXT NOT NULL, version INTEGER NOT NULL, status TEXT NOT NULL, label TEXT NOT NULL,
  wake_at INTEGER,
  ended INTEGER NOT NULL, updated INTEGER NOT NULL, state BLOB NOT NULL, history BLOB);
CREATE UNIQUE INDEX IF NOT EXISTS streams_by_id ON streams(kind, tenant, id);
CREATE INDEX IF NOT EXISTS streams_by_status ON streams(kind, tenant, status, id);
CREATE INDEX IF NOT EXISTS attributes_by_run ON streams(tenant, label) WHERE kind = 23;
CREATE INDEX IF NOT EXISTS streams_by_wake ON streams(wake_at) WHERE wake_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS history(row INTEGER PRIMARY KEY, stream INTEGER NOT NULL,
  chunk BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS history_by_stream ON history(stream);
CREATE TABLE IF NOT EXISTS budgets(tenant INTEGER NOT NULL, account TEXT NOT NULL,
  nano INTEGER NOT NULL,
  PRIMARY KEY(tenant, account)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox(id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL,
  topic TEXT NOT NULL,
  ordering_key TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS leaves(row INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS subjects(tenant INTEGER NOT NULL, subject BLOB NOT NULL,
  key_id INTEGER NOT NULL,
  PRIMARY KEY(tenant, subject)) WITHOUT ROWID;
)";

}  // namespace

std::int64_t TableNames::number(const std::string& tenant) const {
  std::lock_guard lock(mutex_);
  auto found = numbers_.find(tenant);
  return found == numbers_.end() ? 0 : found->second;
}

std::string TableNames::tenant(std::int64_t number) const {
  std::lock_guard lock(mutex_);
  auto found = tenants_.find(number);
  return found == tenants_.end() ? std::string() : found->second;
}

void TableNames::add(const std::string& tenant, std::int64_t number) {
  std::lock_guard lock(mutex_);
  numbers_.insert_or_assign(tenant, number);
  tenants_.insert_or_assign(number, tenant);
}

void TableNames::remove(const std::string& tenant) {
  std::lock_guard lock(mutex_);
  if (auto found = numbers_.find(tenant); found != numbers_.end()) {
    tenants_.erase(found->second);
    numbers_.erase(found);
  }
}

std::set<std::int64_t> TableNames::days() const {
  std::lock_guard lock(mutex_);
  return days_;
}

void TableNames::set_days(std::set<std::int64_t> days) {
  std::lock_guard lock(mutex_);
  days_ = std::move(days);
}

Result<bool> GreatestIds::above_all(StreamKind kind, std::int64_t tenant, std::string_view id,
                                    const Read& read) {
  std::lock_guard lock(mutex_);
  auto found = ids_.find({kind, tenant});
  if (found == ids_.end()) {
    auto greatest = read();
    if (!greatest.ok()) {
      return std::move(greatest).error();
    }
    found = ids_.emplace(std::pair(kind, tenant), *std::move(greatest)).first;
  }
  return id > found->second;
}

Result<void> GreatestIds::raise(StreamKind kind, std::int64_t tenant, std::string_view id,
                                const Read& read) {
  auto above = above_all(kind, tenant, id, read);
  if (!above.ok()) {
    return std::move(above).error();
  }
  if (*above) {
    std::lock_guard lock(mutex_);
    ids_[{kind, tenant}] = id;
  }
  return {};
}

Result<std::string> read_greatest_id(Db& db, StreamKind kind, std::int64_t tenant) {
  auto query =
      db.prepare("SELECT id FROM streams WHERE kind = ? AND tenant = ? ORDER BY id DESC LIMIT 1");
  auto row = query.integer(1, static_cast<int>(kind)).integer(2, tenant).step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  return *row ? std::string(query.bytes(0)) : std::string();
}

Result<void> create_tables(Db& db) { return db.run(std::string(schema)); }

Result<std::unique_ptr<SqliteTables>> SqliteTables::open(const std::string& path) {
  std::unique_ptr<SqliteTables> tables(new SqliteTables(path));
  auto db = Db::open(path, Access::write, tables_page_bytes);
  if (!db.ok()) {
    return std::move(db).error();
  }
  tables->writer_ = *std::move(db);
  auto ready = tables->writer_->run("PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;");
  if (ready.ok()) {
    ready = create_tables(*tables->writer_);
  }
  if (ready.ok()) {
    auto copied = tables->writer_->checkpoint(Db::Checkpoint::truncate);
    ready = copied.ok() ? tables->load() : Result<void>(std::move(copied).error());
  }
  if (!ready.ok()) {
    return std::move(ready).error();
  }
  return tables;
}

Result<void> SqliteTables::check() {
  if (file_bytes(path_) > checked_bytes_max) {
    return {};
  }
  return writer_->check_structure(410);
}

Result<void> SqliteTables::load() {
  auto cursor = writer_->one_integer("SELECT value FROM cursor");
  if (!cursor.ok()) {
    return std::move(cursor).error();
  }
  cursor_ = static_cast<std::uint64_t>(*cursor);
  durable_ = cursor_;
  auto tenants = writer_->prepare("SELECT number, name FROM tenants");
  for (auto more = tenants.step(); !more.ok() || *more; more = tenants.step()) {
    if (!more.ok()) {
      return std::move(more).error();
    }
    names_.add(std::string(tenants.bytes(1)), tenants.integer(0));
  }
  std::set<std::int64_t> days;
  auto tables = writer_->prepare(
      "SELECT CAST(substr(name, 6) AS INTEGER) FROM sqlite_master"
      " WHERE type = 'table' AND name LIKE 'keys\\_%' ESCAPE '\\'");
  for (auto more = tables.step(); !more.ok() || *more; more = tables.step()) {
    if (!more.ok()) {
      return std::move(more).error();
    }
    days.insert(tables.integer(0));
  }
  unlearned_ = days;
  if (unlearned_.empty()) {
    key_filter_.complete();
  }
  names_.set_days(std::move(days));
  return {};
}

}  // namespace aios::store::detail

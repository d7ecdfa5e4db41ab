// SPDX-License-Identifier: Apache-2.0
// Reads of streams from tables.db: a connection for each read in progress, kept for the next one.
#include "store/detail/sqlite_lease.h"

#include <fmt/format.h>

namespace aios::store::detail {
namespace {

constexpr std::size_t idle_readers_max = 16;
constexpr std::string_view row_columns =
    "SELECT id, version, status, label, wake_at, ended, updated";

}  // namespace

namespace {

/// Several statements that must see the same tables.
class Snapshot {
 public:
  explicit Snapshot(Db& db) : db_(db), begun_(db.run("BEGIN")) {}
  ~Snapshot() {
    if (begun_.ok()) {
      (void)db_.run("COMMIT");
    }
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  const Result<void>& begun() const { return begun_; }

 private:
  Db& db_;
  Result<void> begun_;
};

Statement& bind_key(Statement& query, std::string_view key, std::int64_t tenant) {
  return query.integer(1, static_cast<int>(kind_of(key))).integer(2, tenant).text(3, id_of(key));
}

std::string filters(const Page& page) {
  std::string out = " FROM streams WHERE kind = ?1 AND tenant = ?2";
  if (!page.status.empty()) {
    out += " AND status = ?3";
  }
  if (!page.label.empty()) {
    out += " AND label = ?4";
  }
  return out;
}

void bind_filters(Statement& query, const Page& page, std::int64_t tenant) {
  query.integer(1, static_cast<int>(page.kind)).integer(2, tenant);
  if (!page.status.empty()) {
    query.text(3, page.status);
  }
  if (!page.label.empty()) {
    query.text(4, page.label);
  }
}

}  // namespace

Result<std::unique_ptr<Db>> SqliteTables::take_reader() {
  {
    std::lock_guard lock(readers_mutex_);
    if (!readers_.empty()) {
      auto reader = std::move(readers_.back());
      readers_.pop_back();
      return reader;
    }
  }
  return Db::open(path_, Access::read);
}

void SqliteTables::give_reader(std::unique_ptr<Db> reader) {
  if (reader->failed()) {  // it would go on saying so
    return;
  }
  std::lock_guard lock(readers_mutex_);
  if (readers_.size() < idle_readers_max) {
    readers_.push_back(std::move(reader));
  }
}

TableStream SqliteTables::read_row(const Statement& query, StreamKind kind,
                                   const std::string& tenant, bool with_state) const {
  TableStream row;
  row.key = stream_key(kind, tenant, query.bytes(0));
  row.version = static_cast<std::uint64_t>(query.integer(1));
  row.status = query.bytes(2);
  row.label = query.bytes(3);
  if (!query.is_null(4)) {
    row.wake_at = Time{query.integer(4)};
  }
  row.end = query.integer(5) != 0 ? StreamEnd::closed : StreamEnd::open;
  row.updated.ns = query.integer(6);
  if (with_state) {
    row.state = query.bytes(7);
  }
  return row;
}

// A stream that is not there is asked for whenever one begins: see GreatestIds.
Result<std::uint64_t> SqliteTables::version(const std::string& key) {
  const std::int64_t tenant = names_.number(std::string(tenant_of(key)));
  if (tenant == 0) {
    return std::uint64_t{0};
  }
  const auto read = [&]() -> Result<std::string> {
    Lease db(*this);
    return db.ok() ? read_greatest_id(*db.operator->(), kind_of(key), tenant)
                   : Result<std::string>(db.error());
  };
  auto is_new = greatest_.above_all(kind_of(key), tenant, id_of(key), read);
  if (!is_new.ok()) {
    return std::move(is_new).error();
  }
  if (*is_new) {
    return std::uint64_t{0};
  }
  Lease db(*this);
  if (!db.ok()) {
    return db.error();
  }
  auto query = db->prepare("SELECT version FROM streams WHERE kind = ? AND tenant = ? AND id = ?");
  auto row = bind_key(query, key, tenant).step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  return *row ? static_cast<std::uint64_t>(query.integer(0)) : 0;
}

Result<std::optional<TableStream>> SqliteTables::stream(const std::string& key) {
  const std::string tenant(tenant_of(key));
  const std::int64_t number = names_.number(tenant);
  if (number == 0) {
    return std::optional<TableStream>();
  }
  Lease db(*this);
  if (!db.ok()) {
    return db.error();
  }
  auto query = db->prepare(
      fmt::format("{}, state FROM streams WHERE kind = ? AND tenant = ? AND id = ?", row_columns));
  auto row = bind_key(query, key, number).step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  return *row ? std::optional(read_row(query, kind_of(key), tenant, true)) : std::nullopt;
}

Result<TableHistory> SqliteTables::history(const std::string& key) {
  TableHistory out;
  const std::int64_t tenant = names_.number(std::string(tenant_of(key)));
  Lease db(*this);
  if (tenant == 0 || !db.ok()) {
    return db.ok() ? Result<TableHistory>(out) : Result<TableHistory>(db.error());
  }
  const Snapshot snapshot(*db.operator->());
  if (!snapshot.begun().ok()) {
    return snapshot.begun().error();
  }
  auto query = db->prepare(
      "SELECT row, version, history FROM streams WHERE kind = ? AND tenant = ? AND id = ?");
  auto row = bind_key(query, key, tenant).step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  if (!*row) {
    return out;
  }
  out.version = static_cast<std::uint64_t>(query.integer(1));
  if (!query.is_null(2)) {
    out.chunks.emplace_back(query.bytes(2));
  }
  auto chunks = db->prepare("SELECT chunk FROM history WHERE stream = ? ORDER BY row");
  chunks.integer(1, query.integer(0));
  auto read = each(chunks, [&] { out.chunks.emplace_back(chunks.bytes(0)); });
  return read.ok() ? Result<TableHistory>(std::move(out))
                   : Result<TableHistory>(std::move(read).error());
}

Result<std::vector<TableStream>> SqliteTables::list(const Page& page) {
  std::vector<TableStream> out;
  const std::int64_t tenant = names_.number(page.tenant);
  if (tenant == 0) {
    return out;
  }
  Lease db(*this);
  if (!db.ok()) {
    return db.error();
  }
  std::string sql(row_columns);
  sql += page.with_state ? ", state" : "";
  sql += filters(page);
  if (!page.after.empty()) {
    sql += page.newest_first ? " AND id < ?5" : " AND id > ?5";
  }
  sql += page.newest_first ? " ORDER BY id DESC LIMIT ?6" : " ORDER BY id LIMIT ?6";
  auto query = db->prepare(sql);
  bind_filters(query, page, tenant);
  if (!page.after.empty()) {
    query.text(5, page.after);
  }
  query.integer(6, page.limit);
  auto read =
      each(query, [&] { out.push_back(read_row(query, page.kind, page.tenant, page.with_state)); });
  return read.ok() ? Result<std::vector<TableStream>>(std::move(out))
                   : Result<std::vector<TableStream>>(std::move(read).error());
}

Result<TableCount> SqliteTables::count(const Page& page, const std::vector<std::string>& keys) {
  TableCount out;
  const std::int64_t tenant = names_.number(page.tenant);
  Lease db(*this);
  if (tenant == 0 || !db.ok()) {
    return db.ok() ? Result<TableCount>(out) : Result<TableCount>(db.error());
  }
  const Snapshot snapshot(*db.operator->());
  if (!snapshot.begun().ok()) {
    return snapshot.begun().error();
  }
  auto query = db->prepare("SELECT count(*)" + filters(page));
  bind_filters(query, page, tenant);
  auto counted = each(query, [&] { out.matching = static_cast<std::uint64_t>(query.integer(0)); });
  for (std::size_t i = 0; i < keys.size() && counted.ok(); ++i) {
    auto find = db->prepare(
        fmt::format("{} FROM streams WHERE kind = ? AND tenant = ? AND id = ?", row_columns));
    bind_key(find, keys[i], tenant);
    counted =
        each(find, [&] { out.rows.push_back(read_row(find, page.kind, page.tenant, false)); });
  }
  return counted.ok() ? Result<TableCount>(std::move(out))
                      : Result<TableCount>(std::move(counted).error());
}

Result<std::vector<TableWake>> SqliteTables::due(Time until, const TableWake& after,
                                                 std::uint32_t limit) {
  std::vector<TableWake> out;
  Lease db(*this);
  if (!db.ok()) {
    return db.error();
  }
  auto query = db->prepare(
      "SELECT kind, tenant, id, version, wake_at, row FROM streams WHERE wake_at IS NOT NULL"
      " AND wake_at <= ? AND (wake_at, row) > (?, ?) ORDER BY wake_at, row LIMIT ?");
  query.integer(1, until.ns).integer(2, after.at.ns).integer(3, after.place).integer(4, limit);
  auto read = each(query, [&] {
    const auto kind = static_cast<StreamKind>(query.integer(0));
    out.push_back({stream_key(kind, names_.tenant(query.integer(1)), query.bytes(2)),
                   static_cast<std::uint64_t>(query.integer(3)), Time{query.integer(4)},
                   query.integer(5)});
  });
  return read.ok() ? Result<std::vector<TableWake>>(std::move(out))
                   : Result<std::vector<TableWake>>(std::move(read).error());
}

}  // namespace aios::store::detail

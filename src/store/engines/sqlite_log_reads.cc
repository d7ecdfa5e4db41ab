// SPDX-License-Identifier: Apache-2.0
// Reads from tables.db of what is not a stream: keys, budgets, outbox, leaves, subjects; its copy.
#include "store/detail/sqlite_lease.h"

#include <fmt/format.h>

namespace aios::store::detail {

Result<std::optional<KeptKey>> SqliteTables::key(const Fingerprint& fingerprint) {
  if (!key_filter_.perhaps(fingerprint)) {
    return std::optional<KeptKey>();
  }
  Lease db(*this);
  if (!db.ok()) {
    return db.error();
  }
  for (const std::int64_t day : names_.days()) {
    auto query =
        db->prepare(fmt::format("SELECT digest, value FROM keys_{} WHERE fingerprint = ?", day));
    query.blob(1, view(fingerprint));
    auto row = query.step();
    if (!row.ok()) {
      // A fold that drops a day is seen here before names_ has it.
      auto there = db->prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
      auto found = there.text(1, fmt::format("keys_{}", day)).step();
      if (!found.ok() || *found) {
        return std::move(row).error();
      }
    } else if (*row) {
      return std::optional(KeptKey{std::string(query.bytes(0)), std::string(query.bytes(1))});
    }
  }
  return std::optional<KeptKey>();
}

Result<std::int64_t> SqliteTables::budget(const std::string& account) {
  const auto end_of_tenant = account.find('\0');
  Lease db(*this);
  if (!db.ok()) {
    return db.error();
  }
  auto query = db->prepare("SELECT nano FROM budgets WHERE tenant = ? AND account = ?");
  const std::string name = account.substr(end_of_tenant + 1);
  query.integer(1, names_.number(account.substr(0, end_of_tenant))).text(2, name);
  auto row = query.step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  return *row ? query.integer(0) : 0;
}

Result<std::vector<FoldMessage>> SqliteTables::outbox(std::uint64_t after, std::uint32_t limit) {
  std::vector<FoldMessage> out;
  Lease db(*this);
  if (!db.ok()) {
    return db.error();
  }
  auto query = db->prepare(
      "SELECT id, tenant, topic, ordering_key, data FROM outbox WHERE id > ? ORDER BY id LIMIT ?");
  query.integer(1, static_cast<std::int64_t>(after)).integer(2, limit);
  auto read = each(query, [&] {
    out.push_back(
        {static_cast<std::uint64_t>(query.integer(0)),
         names_.tenant(query.integer(1)),
         {std::string(query.bytes(2)), std::string(query.bytes(3)), std::string(query.bytes(4))}});
  });
  return read.ok() ? Result<std::vector<FoldMessage>>(std::move(out))
                   : Result<std::vector<FoldMessage>>(std::move(read).error());
}

Result<std::vector<std::string>> SqliteTables::leaves(const std::string& tenant, std::uint64_t from,
                                                      std::uint32_t limit) {
  std::vector<std::string> out;
  const std::int64_t number = names_.number(tenant);
  Lease db(*this);
  if (number == 0 || !db.ok()) {
    return db.ok() ? Result<std::vector<std::string>>(out)
                   : Result<std::vector<std::string>>(db.error());
  }
  auto query =
      db->prepare("SELECT bytes FROM leaves WHERE row >= ? AND row < ? ORDER BY row LIMIT ?");
  query.integer(1, leaf_row(number, from)).integer(2, leaf_row(number + 1, 0)).integer(3, limit);
  auto read = each(query, [&] { out.emplace_back(query.bytes(0)); });
  return read.ok() ? Result<std::vector<std::string>>(std::move(out))
                   : Result<std::vector<std::string>>(std::move(read).error());
}

Result<std::uint64_t> SqliteTables::leaf_count(const std::string& tenant) {
  const std::int64_t number = names_.number(tenant);
  Lease db(*this);
  if (number == 0 || !db.ok()) {
    return db.ok() ? Result<std::uint64_t>(std::uint64_t{0}) : Result<std::uint64_t>(db.error());
  }
  // Leaves are gapless, so the last one's index is the count less one.
  auto query =
      db->prepare("SELECT row FROM leaves WHERE row >= ? AND row < ? ORDER BY row DESC LIMIT 1");
  query.integer(1, leaf_row(number, 0)).integer(2, leaf_row(number + 1, 0));
  auto row = query.step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  return *row ? static_cast<std::uint64_t>(query.integer(0) - leaf_row(number, 0)) + 1 : 0;
}

Result<std::vector<std::string>> SqliteTables::tenants_with_leaves() {
  std::vector<std::string> out;
  Lease db(*this);
  if (!db.ok()) {
    return db.error();
  }
  auto query = db->prepare(
      "SELECT name FROM tenants WHERE EXISTS(SELECT 1 FROM leaves WHERE row >= number << 40"
      " AND row < (number + 1) << 40)");
  auto read = each(query, [&] { out.emplace_back(query.bytes(0)); });
  return read.ok() ? Result<std::vector<std::string>>(std::move(out))
                   : Result<std::vector<std::string>>(std::move(read).error());
}

Result<std::uint64_t> SqliteTables::assigned_key(const std::string& tenant,
                                                 const Fingerprint& subject) {
  Lease db(*this);
  if (!db.ok()) {
    return db.error();
  }
  auto query = db->prepare("SELECT key_id FROM subjects WHERE tenant = ? AND subject = ?");
  query.integer(1, names_.number(tenant)).blob(2, view(subject));
  auto row = query.step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  return *row ? static_cast<std::uint64_t>(query.integer(0)) : 0;
}

Result<void> SqliteTables::copy_to(const std::string& path) {
  auto db = Db::open(path_, Access::write);
  if (!db.ok()) {
    return std::move(db).error();
  }
  auto copy = (*db)->prepare("VACUUM INTO ?");
  return copy.text(1, path).run();
}

}  // namespace aios::store::detail

// SPDX-License-Identifier: Apache-2.0
// What is no longer kept leaves tables.db: closed streams, which hold their history themselves.
#include "store/detail/sqlite_tables.h"

namespace aios::store::detail {

Result<Expired> SqliteTables::remove_expired(const TableExpiry& expiry, std::int64_t tenant) {
  auto query = writer_->prepare(
      "SELECT row, id, ended, updated FROM streams WHERE kind = ? AND tenant = ? AND id > ?"
      " AND id < ? ORDER BY id LIMIT ?");
  query.integer(1, static_cast<int>(expiry.kind)).integer(2, tenant);
  query.text(3, expiry.after).text(4, expiry.below).integer(5, expiry.limit);
  std::vector<std::int64_t> rows;
  std::uint32_t seen = 0;
  Expired out;
  for (auto more = query.step(); !more.ok() || *more; more = query.step()) {
    if (!more.ok()) {
      return std::move(more).error();
    }
    ++seen;
    out.next = query.bytes(1);
    if (query.integer(2) != 0 && query.integer(3) < expiry.before.ns) {
      rows.push_back(query.integer(0));
    }
  }
  auto remove = writer_->prepare("DELETE FROM streams WHERE row = ?");
  for (const std::int64_t row : rows) {
    if (auto removed = remove.integer(1, row).run(); !removed.ok()) {
      return std::move(removed).error();
    }
  }
  out.streams = rows.size();
  if (seen < expiry.limit) {
    out.next.clear();
  }
  return out;
}

Result<Expired> SqliteTables::expire(const TableExpiry& expiry) {
  const std::int64_t tenant = names_.number(expiry.tenant);
  if (tenant == 0) {
    return Expired();
  }
  if (auto begun = writer_->prepare("BEGIN IMMEDIATE").run(); !begun.ok()) {
    return std::move(begun).error();
  }
  auto removed = remove_expired(expiry, tenant);
  if (removed.ok()) {
    if (auto done = writer_->prepare("COMMIT").run(); !done.ok()) {
      removed = std::move(done).error();
    }
  }
  if (!removed.ok()) {
    writer_->roll_back();
  }
  return removed;
}

}  // namespace aios::store::detail

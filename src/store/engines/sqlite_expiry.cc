// SPDX-License-Identifier: Apache-2.0
// What is no longer kept leaves tables.db: closed streams, which hold their history themselves.
#include "core/failpoint.h"
#include "store/detail/sqlite_tables.h"

namespace aios::store::detail {

Result<void> SqliteTables::remove_rows(const std::vector<std::int64_t>& rows) {
  auto remove = writer_->prepare("DELETE FROM streams WHERE row = ?");
  for (const std::int64_t row : rows) {
    if (auto removed = remove.integer(1, row).run(); !removed.ok()) {
      return std::move(removed).error();
    }
  }
  return {};
}

/// What belongs to one of the streams and is of no use without it, whether closed or not.
Result<void> SqliteTables::remove_belongings(StreamKind kind, const std::vector<std::string>& ids,
                                             std::int64_t tenant) {
  static_assert(static_cast<int>(StreamKind::turn) == 17);
  static_assert(static_cast<int>(StreamKind::listener) == 20);
  static_assert(static_cast<int>(StreamKind::kept_event) == 21);
  static_assert(static_cast<int>(StreamKind::search_attribute) == 23);
  std::vector<std::string_view> which;
  if (kind == StreamKind::run) {
    which = {"kind = 23 AND tenant = ?1 AND label = ?2",  // the index wants the kind in the text
             "kind = 17 AND tenant = ?1 AND id = ?2",
             // those of the run alone: R-1 may be a run that goes on, and R-1-1 what it listens for
             "kind = 20 AND tenant = ?1 AND id > ?2 || '-' AND id < ?2 || '.'"
             " AND instr(substr(id, length(?2) + 2), '-') = 0"};
  } else if (kind == StreamKind::event) {
    which = {"kind = 21 AND tenant = ?1 AND id = ?2"};
  }
  for (const std::string_view one : which) {
    auto remove = writer_->prepare("DELETE FROM streams WHERE " + std::string(one));
    for (const std::string& id : ids) {
      if (auto removed = remove.integer(1, tenant).text(2, id).run(); !removed.ok()) {
        return std::move(removed).error();
      }
    }
  }
  return {};
}

/// A run that another one waits for has that one's id and "-N": it is read when that one goes on.
Result<bool> SqliteTables::is_awaited(StreamKind kind, const std::string& id, std::int64_t tenant) {
  const auto end = kind == StreamKind::run ? id.rfind('-') : std::string::npos;
  if (end == std::string::npos) {
    return false;
  }
  const std::string parent = id.substr(0, end);
  auto query =
      writer_->prepare("SELECT ended FROM streams WHERE kind = ? AND tenant = ? AND id = ?");
  query.integer(1, static_cast<int>(kind)).integer(2, tenant).text(3, parent);
  auto row = query.step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  return *row && query.integer(0) == 0;
}

Result<SqliteTables::Leavers> SqliteTables::find_expired(const TableExpiry& expiry,
                                                         std::int64_t tenant) {
  auto query = writer_->prepare(
      "SELECT row, id, ended, updated FROM streams WHERE kind = ? AND tenant = ? AND id > ?"
      " AND id < ? ORDER BY id LIMIT ?");
  query.integer(1, static_cast<int>(expiry.kind)).integer(2, tenant);
  query.text(3, expiry.after).text(4, expiry.below).integer(5, expiry.limit);
  std::uint32_t seen = 0;
  Leavers out;
  for (auto more = query.step(); !more.ok() || *more; more = query.step()) {
    if (!more.ok()) {
      return std::move(more).error();
    }
    ++seen;
    out.page.next = query.bytes(1);
    if (query.integer(2) != 0 && query.integer(3) < expiry.before.ns) {
      auto awaited = is_awaited(expiry.kind, out.page.next, tenant);
      if (!awaited.ok()) {
        return std::move(awaited).error();
      }
      if (!*awaited) {
        out.rows.push_back(query.integer(0));
        out.ids.push_back(out.page.next);
      }
    }
  }
  if (seen < expiry.limit) {
    out.page.next.clear();
  }
  return out;
}

/// Leaves those of them that may go.
void SqliteTables::claim(StreamKind kind, const std::string& tenant, const ClaimStreams& claim,
                         Leavers* found) {
  std::vector<std::string> keys;
  keys.reserve(found->ids.size());
  for (const std::string& id : found->ids) {
    keys.push_back(stream_key(kind, tenant, id));
  }
  const std::vector<bool> may_go = claim(keys);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < may_go.size(); ++i) {
    if (may_go[i]) {
      found->rows[kept] = found->rows[i];
      std::swap(found->ids[kept], found->ids[i]);
      ++kept;
    }
  }
  found->rows.resize(kept);
  found->ids.resize(kept);
  found->page.streams = kept;
}

Result<Expired> SqliteTables::remove_expired(const TableExpiry& expiry, std::int64_t tenant) {
  auto found = find_expired(expiry, tenant);
  if (!found.ok()) {
    return std::move(found).error();
  }
  claim(expiry.kind, expiry.tenant, expiry.claim, &*found);
  auto removed = remove_rows(found->rows);
  if (removed.ok()) {
    removed = remove_belongings(expiry.kind, found->ids, tenant);
  }
  if (!removed.ok()) {
    return std::move(removed).error();
  }
  return std::move(found->page);
}

Result<SqliteTables::Leavers> SqliteTables::find_gone(const TableRemoval& removal,
                                                      std::int64_t tenant) {
  auto query = writer_->prepare(
      "SELECT row, id, ended, state FROM streams WHERE kind = ? AND tenant = ? AND id > ?"
      " ORDER BY id LIMIT ?");
  query.integer(1, static_cast<int>(removal.kind)).integer(2, tenant);
  query.text(3, removal.after).integer(4, removal.limit);
  std::uint32_t seen = 0;
  Leavers out;
  for (auto more = query.step(); !more.ok() || *more; more = query.step()) {
    if (!more.ok()) {
      return std::move(more).error();
    }
    ++seen;
    out.page.next = query.bytes(1);
    if (query.integer(2) != 0 && removal.gone(query.bytes(3))) {
      out.rows.push_back(query.integer(0));
      out.ids.push_back(out.page.next);
    }
  }
  if (seen < removal.limit) {
    out.page.next.clear();
  }
  return out;
}

Result<Expired> SqliteTables::remove_gone(const TableRemoval& removal, std::int64_t tenant) {
  auto found = find_gone(removal, tenant);
  if (!found.ok()) {
    return std::move(found).error();
  }
  claim(removal.kind, removal.tenant, removal.claim, &*found);
  if (auto removed = remove_rows(found->rows); !removed.ok()) {
    return std::move(removed).error();
  }
  return std::move(found->page);
}

Result<Expired> SqliteTables::in_transaction(
    const std::string& tenant, const std::function<Result<Expired>(std::int64_t)>& work) {
  const std::int64_t number = names_.number(tenant);
  if (number == 0) {
    return Expired();
  }
  if (auto begun = writer_->prepare("BEGIN IMMEDIATE").run(); !begun.ok()) {
    return std::move(begun).error();
  }
  auto removed = work(number);
  AIOS_FAILPOINT("retention.before_commit");
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

Result<Expired> SqliteTables::expire(const TableExpiry& expiry) {
  return in_transaction(expiry.tenant,
                        [&](std::int64_t tenant) { return remove_expired(expiry, tenant); });
}

Result<Expired> SqliteTables::remove(const TableRemoval& removal) {
  return in_transaction(removal.tenant,
                        [&](std::int64_t tenant) { return remove_gone(removal, tenant); });
}

}  // namespace aios::store::detail

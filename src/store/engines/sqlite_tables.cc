// SPDX-License-Identifier: Apache-2.0
// The writing half of tables.db.
#include "store/detail/sqlite_tables.h"

#include "core/codec.h"
#include "core/failpoint.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::store::detail {
namespace {

constexpr std::string_view keys_prefix = "keys_";
constexpr std::int64_t keys_learned_max = 10'000;  // with one fold; some milliseconds

std::string keys_table(std::int64_t day) { return fmt::format("{}{}", keys_prefix, day); }

}  // namespace

Result<void> SqliteTables::fold(const Fold& fold, const PackHistory& pack) {
  learn_keys();
  std::set<std::int64_t> days = names_.days();
  fresh_tenants_.clear();
  auto done = writer_->prepare("BEGIN IMMEDIATE").run();
  if (done.ok()) {
    done = fold_all(fold, pack);
  }
  if (done.ok()) {
    done = fold_keys(fold, &days);
  }
  if (done.ok()) {
    done = writer_
               ->prepare(
                   "INSERT INTO cursor(one, value) VALUES(1, ?) ON CONFLICT(one) DO UPDATE SET"
                   " value = excluded.value")
               .integer(1, static_cast<std::int64_t>(fold.through))
               .run();
  }
  AIOS_FAILPOINT("fold.before_commit");
  if (done.ok()) {
    done = writer_->prepare("COMMIT").run();
  }
  if (!done.ok()) {
    writer_->roll_back();
    for (const std::string& tenant : fresh_tenants_) {
      names_.remove(tenant);
    }
    return done;
  }
  forget_days(days);
  AIOS_FAILPOINT("fold.after_commit");
  names_.set_days(std::move(days));
  cursor_.store(fold.through, std::memory_order_release);
  return {};
}

Result<void> SqliteTables::fold_all(const Fold& fold, const PackHistory& pack) {
  for (const FoldStream& stream : fold.streams) {
    if (auto folded = fold_stream(stream, pack); !folded.ok()) {
      return folded;
    }
  }
  auto outbox = fold_outbox(fold);
  return outbox.ok() ? fold_rest(fold) : outbox;
}

Result<std::int64_t> SqliteTables::tenant_number(const std::string& tenant) {
  if (const std::int64_t known = names_.number(tenant); known != 0) {
    return known;
  }
  // Readers may learn the number before this commits: they find no rows under it.
  auto insert = writer_->prepare(
      "INSERT INTO tenants(name) VALUES(?) ON CONFLICT(name) DO UPDATE SET name = name"
      " RETURNING number");
  insert.text(1, tenant);
  auto row = insert.step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  const std::int64_t number = insert.integer(0);
  names_.add(tenant, number);
  fresh_tenants_.push_back(tenant);
  return number;
}

Result<void> SqliteTables::fold_stream(const FoldStream& stream, const PackHistory& pack) {
  const std::string tenant(tenant_of(stream.row.key));
  auto number = tenant_number(tenant);
  if (!number.ok()) {
    return std::move(number).error();
  }
  std::int64_t row = 0;
  std::string closed;
  const StreamKind kind = kind_of(stream.row.key);
  const auto read = [&] { return read_greatest_id(*writer_, kind, *number); };
  auto is_new = greatest_.above_all(kind, *number, id_of(stream.row.key), read);
  if (!is_new.ok()) {
    return std::move(is_new).error();
  }
  if (*is_new) {
    // Before the row can be seen: a reader that finds its id above all must find no row.
    if (auto raised = greatest_.raise(kind, *number, id_of(stream.row.key), read); !raised.ok()) {
      return raised;
    }
  } else {
    auto find = writer_->prepare(
        "SELECT row, history FROM streams WHERE kind = ? AND tenant = ? AND id = ?");
    find.integer(1, static_cast<int>(kind_of(stream.row.key)))
        .integer(2, *number)
        .text(3, id_of(stream.row.key));
    auto found = find.step();
    if (!found.ok()) {
      return std::move(found).error();
    }
    if (*found) {
      row = find.integer(0);
      closed = find.bytes(1);
    }
  }
  if (stream.row.end == StreamEnd::closed) {
    auto packed = close_history(stream, row, std::move(closed), pack);
    return packed.ok() ? write_stream(stream, *number, row, *packed)
                       : Result<void>(std::move(packed).error());
  }
  if (auto written = write_stream(stream, *number, row, closed); !written.ok()) {
    return written;
  }
  if (stream.events.empty()) {
    return {};
  }
  auto insert = writer_->prepare(
      "INSERT INTO history(stream, chunk) SELECT row, ? FROM streams"
      " WHERE kind = ? AND tenant = ? AND id = ?");
  insert.blob(1, stream.events).integer(2, static_cast<int>(kind_of(stream.row.key)));
  return insert.integer(3, *number).text(4, id_of(stream.row.key)).run();
}

/// What is in the row, what lies in the history table and what this fold brings, as one chunk.
Result<std::string> SqliteTables::close_history(const FoldStream& stream, std::int64_t row,
                                                std::string closed, const PackHistory& pack) {
  std::vector<std::string> chunks;
  const bool was_closed = !closed.empty();
  if (was_closed) {
    chunks.push_back(std::move(closed));
  }
  if (row != 0) {
    auto query = writer_->prepare("SELECT chunk FROM history WHERE stream = ? ORDER BY row");
    query.integer(1, row);
    bool any = false;
    for (auto more = query.step(); !more.ok() || *more; more = query.step()) {
      if (!more.ok()) {
        return std::move(more).error();
      }
      chunks.emplace_back(query.bytes(0));
      any = true;
    }
    if (any) {
      auto removed = writer_->prepare("DELETE FROM history WHERE stream = ?").integer(1, row).run();
      if (!removed.ok()) {
        return std::move(removed).error();
      }
    }
  }
  if (!stream.events.empty()) {
    chunks.push_back(stream.events);
  }
  if (chunks.empty()) {
    return std::string();
  }
  return chunks.size() == 1 && was_closed ? chunks.front() : pack(stream.row.key, chunks);
}

Result<void> SqliteTables::write_stream(const FoldStream& stream, std::int64_t tenant,
                                        std::int64_t row, const std::string& closed) {
  const TableStream& values = stream.row;
  const bool insert = row == 0;
  // A present row keeps its state when the fold brings none.
  auto write = writer_->prepare(
      insert ? "INSERT INTO streams(version, status, label, wake_at, ended, updated, history, "
               "state, kind, tenant, id)"
               " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
      : stream.has_state
          ? "UPDATE streams SET version = ?, status = ?, label = ?, wake_at = ?, ended = ?,"
            " updated = ?, history = ?, state = ? WHERE row = ?"
          : "UPDATE streams SET version = ?, status = ?, label = ?, wake_at = ?, ended = ?,"
            " updated = ?, history = ? WHERE row = ?");
  write.integer(1, static_cast<std::int64_t>(values.version))
      .text(2, values.status)
      .text(3, values.label);
  values.wake_at ? write.integer(4, values.wake_at->ns) : write.null(4);
  write.integer(5, static_cast<int>(values.end)).integer(6, values.updated.ns);
  closed.empty() ? write.null(7) : write.blob(7, closed);
  if (insert) {
    write.blob(8, values.state)
        .integer(9, static_cast<int>(kind_of(values.key)))
        .integer(10, tenant);
    write.text(11, id_of(values.key));
  } else if (stream.has_state) {
    write.blob(8, values.state).integer(9, row);
  } else {
    write.integer(8, row);
  }
  return write.run();
}

Result<void> SqliteTables::fold_keys(const Fold& fold, std::set<std::int64_t>* days) {
  const std::int64_t oldest = fold.day - key_days;
  std::string sql;
  std::int64_t sql_day = -1;
  for (const FoldKey& key : fold.keys) {
    if (key.day < oldest) {
      continue;
    }
    if (days->insert(key.day).second) {
      auto made =
          writer_->run(fmt::format("CREATE TABLE IF NOT EXISTS {}(fingerprint BLOB PRIMARY KEY,"
                                   " digest BLOB NOT NULL, value TEXT NOT NULL) WITHOUT ROWID",
                                   keys_table(key.day)));
      if (!made.ok()) {
        return made;
      }
    }
    if (sql_day != key.day) {
      sql_day = key.day;
      sql = fmt::format("INSERT OR REPLACE INTO {}(fingerprint, digest, value) VALUES(?, ?, ?)",
                        keys_table(key.day));
    }
    key_filter_.add(key.key.fingerprint);  // before the row can be seen
    auto insert = writer_->prepare(sql);
    insert.blob(1, view(key.key.fingerprint))
        .blob(2, key.key.request_digest)
        .text(3, key.key.value);
    if (auto inserted = insert.run(); !inserted.ok()) {
      return inserted;
    }
  }
  while (!days->empty() && *days->begin() < oldest) {
    if (auto dropped = writer_->run("DROP TABLE IF EXISTS " + keys_table(*days->begin()));
        !dropped.ok()) {
      return dropped;
    }
    days->erase(days->begin());
  }
  return {};
}

/// What was there before this process began, some with each fold. What cannot be read now is read
/// with a later one.
void SqliteTables::learn_keys() {
  if (unlearned_.empty()) {
    return;
  }
  auto query = writer_->prepare(
      fmt::format("SELECT fingerprint FROM {} WHERE fingerprint > ? ORDER BY fingerprint LIMIT ?",
                  keys_table(*unlearned_.begin())));
  query.blob(1, learned_).integer(2, keys_learned_max);
  std::string last;
  std::int64_t count = 0;
  auto more = query.step();
  for (; more.ok() && *more; more = query.step()) {
    last = query.bytes(0);
    Fingerprint key{};
    if (last.size() == key.size()) {
      std::copy(last.begin(), last.end(), key.begin());
      key_filter_.add(key);
    }
    ++count;
  }
  if (!more.ok()) {
    return;
  }
  learned_ = std::move(last);
  if (count < keys_learned_max) {
    unlearned_.erase(unlearned_.begin());
    learned_.clear();
  }
  if (unlearned_.empty()) {
    key_filter_.complete();
  }
}

/// Days that a fold dropped need not be learned.
void SqliteTables::forget_days(const std::set<std::int64_t>& kept) {
  if (unlearned_.empty()) {
    return;
  }
  const std::int64_t first = *unlearned_.begin();
  std::erase_if(unlearned_, [&](std::int64_t day) { return !kept.contains(day); });
  if (unlearned_.empty() || *unlearned_.begin() != first) {
    learned_.clear();
  }
  if (unlearned_.empty()) {
    key_filter_.complete();
  }
}

Result<void> SqliteTables::fold_outbox(const Fold& fold) {
  for (const FoldMessage& entry : fold.outbox) {
    auto tenant = tenant_number(entry.tenant);
    if (!tenant.ok()) {
      return std::move(tenant).error();
    }
    auto insert = writer_->prepare(
        "INSERT INTO outbox(id, tenant, topic, ordering_key, data) VALUES(?, ?, ?, ?, ?)");
    insert.integer(1, static_cast<std::int64_t>(entry.id))
        .integer(2, *tenant)
        .text(3, entry.message.topic);
    insert.text(4, entry.message.ordering_key).blob(5, entry.message.sealed);
    if (auto inserted = insert.run(); !inserted.ok()) {
      return inserted;
    }
  }
  for (const std::uint64_t id : fold.outbox_done) {
    auto removed = writer_->prepare("DELETE FROM outbox WHERE id = ?")
                       .integer(1, static_cast<std::int64_t>(id))
                       .run();
    if (!removed.ok()) {
      return removed;
    }
  }
  return {};
}

Result<void> SqliteTables::fold_rest(const Fold& fold) {
  for (const auto& [key, amount] : fold.budgets) {
    auto tenant = tenant_number(key.substr(0, key.find('\0')));
    if (!tenant.ok()) {
      return std::move(tenant).error();
    }
    auto move = writer_->prepare(
        "INSERT INTO budgets(tenant, account, nano) VALUES(?, ?, ?)"
        " ON CONFLICT(tenant, account) DO UPDATE SET nano = nano + excluded.nano");
    const std::string account = key.substr(key.find('\0') + 1);
    if (auto moved = move.integer(1, *tenant).text(2, account).integer(3, amount).run();
        !moved.ok()) {
      return moved;
    }
  }
  for (const FoldLeaf& leaf : fold.leaves) {
    auto tenant = tenant_number(leaf.tenant);
    if (!tenant.ok()) {
      return std::move(tenant).error();
    }
    auto insert = writer_->prepare("INSERT INTO leaves(row, bytes) VALUES(?, ?)");
    if (auto in = insert.integer(1, leaf_row(*tenant, leaf.index)).blob(2, leaf.bytes).run();
        !in.ok()) {
      return in;
    }
  }
  for (const FoldAssignment& entry : fold.assignments) {
    auto tenant = tenant_number(entry.tenant);
    if (!tenant.ok()) {
      return std::move(tenant).error();
    }
    auto insert = writer_->prepare(
        "INSERT INTO subjects(tenant, subject, key_id) VALUES(?, ?, ?)"
        " ON CONFLICT(tenant, subject) DO UPDATE SET key_id = max(key_id, excluded.key_id)");
    insert.integer(1, *tenant).blob(2, view(entry.assignment.subject));
    if (auto in = insert.integer(3, static_cast<std::int64_t>(entry.assignment.key_id)).run();
        !in.ok()) {
      return in;
    }
  }
  return {};
}

Result<std::uint64_t> SqliteTables::sync() {
  const std::uint64_t folded = cursor();
  auto copied = writer_->checkpoint(Db::Checkpoint::passive);
  if (!copied.ok()) {
    return std::move(copied).error();
  }
  // A reader of an old snapshot can keep the copy from being complete; then only the cursor before
  // is certain.
  durable_ = *copied ? folded : durable_;
  return durable_;
}

}  // namespace aios::store::detail

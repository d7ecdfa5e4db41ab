// SPDX-License-Identifier: Apache-2.0
#include "store/detail/sqlite_journal.h"

#include "core/failpoint.h"

#include <fmt/format.h>

#include <chrono>

namespace aios::store::detail {
namespace {

constexpr auto look_every = std::chrono::milliseconds(200);

}  // namespace

// The journal's own table comes last: where it is, the others are, wherever the making was cut off
// (sqlite_identity asks it whether the file was ever filled, and then reads them).
Result<void> create_journal(Db& db) {
  return db.run(
      "CREATE TABLE IF NOT EXISTS epoch(one INTEGER PRIMARY KEY CHECK(one = 1), value INTEGER NOT "
      "NULL);"
      "CREATE TABLE IF NOT EXISTS cut(one INTEGER PRIMARY KEY CHECK(one = 1), through INTEGER NOT "
      "NULL);"
      "CREATE TABLE IF NOT EXISTS journal(sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
      " first_leaf INTEGER NOT NULL, body BLOB NOT NULL);");
}

Result<void> write_cut(Db& db, std::uint64_t through) {
  return db.prepare("INSERT OR REPLACE INTO cut(one, through) VALUES(1, ?)")
      .integer(1, static_cast<std::int64_t>(through))
      .run();
}

Result<void> insert_row(Db& db, const JournalRow& row) {
  auto insert =
      db.prepare("INSERT INTO journal(sequence, time, first_leaf, body) VALUES(?, ?, ?, ?)");
  insert.integer(1, static_cast<std::int64_t>(row.sequence)).integer(2, row.time.ns);
  insert.integer(3, static_cast<std::int64_t>(row.first_leaf)).blob(4, row.body);
  return insert.run();
}

Result<std::unique_ptr<SqliteJournal>> SqliteJournal::open(const std::string& path,
                                                           const JournalLog& log) {
  std::unique_ptr<SqliteJournal> journal(new SqliteJournal(path, log));
  for (auto* slot : {&journal->writer_, &journal->reader_, &journal->checkpointer_}) {
    auto db = Db::open(path, slot == &journal->reader_ ? Access::read : Access::write,
                       journal_page_bytes);
    if (!db.ok()) {
      return std::move(db).error();
    }
    *slot = *std::move(db);
    if (slot == &journal->writer_) {
      if (auto ready = journal->begin_writing(); !ready.ok()) {
        return std::move(ready).error();
      }
    }
  }
  if (log.own_thread) {
    journal->thread_ = std::thread([self = journal.get()] { self->checkpoint_loop(); });
  }
  return journal;
}

// What the log holds after an unclean end may be in memory only: it is made durable before anyone
// relies on it. Rows carry checksums, but a page that says it has fewer of them loses rows that no
// checksum misses.
Result<void> SqliteJournal::begin_writing() {
  // Some builds of SQLite overwrite what is deleted: each page that is cut off would be written
  // again, as zeros. What rows hold of anybody is sealed, and the log keeps it a while anyway.
  auto ready = writer_->run("PRAGMA synchronous=FULL; PRAGMA secure_delete=FAST");
  ready = ready.ok() ? create_journal(*writer_) : ready;
  if (!ready.ok()) {
    return ready;
  }
  if (auto copied = writer_->checkpoint(Db::Checkpoint::truncate); !copied.ok()) {
    return std::move(copied).error();
  }
  AIOS_FAILPOINT("journal.opened");
  auto whole = writer_->check_structure(426);
  return whole.ok() ? take_epoch() : whole;
}

SqliteJournal::~SqliteJournal() { close(); }

void SqliteJournal::close() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
  checkpointer_ = nullptr;
  reader_ = nullptr;
  writer_ = nullptr;
}

Result<void> SqliteJournal::take_epoch() {
  auto raised = writer_->run(
      "BEGIN IMMEDIATE;"
      "INSERT INTO epoch(one, value) VALUES(1, 1) ON CONFLICT(one) DO UPDATE SET value = value + "
      "1");
  if (!raised.ok()) {
    return raised;
  }
  auto epoch = writer_->one_integer("SELECT value FROM epoch");
  if (!epoch.ok()) {
    return failed(std::move(epoch).error());
  }
  epoch_ = static_cast<std::uint64_t>(*epoch);
  return writer_->run("COMMIT");
}

Error SqliteJournal::taken_over(std::string why) {
  std::lock_guard lock(mutex_);
  failure_ = Error(Code::failed_precondition, std::move(why)).page(424);
  broken_.store(true, std::memory_order_release);
  return *failure_;
}

// Whoever opens the directory raises the epoch. Read in the transaction that writes, it cannot be
// raised between the look and the commit.
Result<void> SqliteJournal::check_epoch() {
  auto epoch = writer_->one_integer("SELECT value FROM epoch");
  if (!epoch.ok()) {
    return std::move(epoch).error();
  }
  if (static_cast<std::uint64_t>(*epoch) == epoch_) {
    return {};
  }
  return taken_over(fmt::format(
      "'{}' is in epoch {}, this process is of epoch {}: another one took the data directory over",
      path_, *epoch, epoch_));
}

Result<void> SqliteJournal::idle_health() {
  auto whole = health();
  return whole.ok() ? check_epoch() : whole;
}

Result<void> SqliteJournal::failed(Error error) {
  writer_->roll_back();
  return error;
}

Result<void> SqliteJournal::health() {
  if (!broken_.load(std::memory_order_acquire)) {
    return {};
  }
  std::lock_guard lock(mutex_);
  return *failure_;
}

Result<void> SqliteJournal::begin() {
  if (auto whole = health(); !whole.ok() || writer_->in_transaction()) {
    return whole;
  }
  if (auto begun = writer_->prepare("BEGIN IMMEDIATE").run(); !begun.ok()) {
    return begun;
  }
  auto ours = check_epoch();
  return ours.ok() ? ours : failed(std::move(ours).error());
}

Result<void> SqliteJournal::insert(const JournalRow& row) {
  auto inserted = insert_row(*writer_, row);
  if (inserted.ok()) {
    return inserted;
  }
  auto there = writer_->prepare("SELECT 1 FROM journal WHERE sequence = ?");
  auto found = there.integer(1, static_cast<std::int64_t>(row.sequence)).step();
  if (found.ok() && *found) {
    return taken_over(
        fmt::format("'{}' holds a row {} that this process did not write", path_, row.sequence));
  }
  return inserted;
}

Result<void> SqliteJournal::append(const std::vector<JournalRow>& rows) {
  if (auto begun = begin(); !begun.ok()) {
    return begun;
  }
  std::uint64_t bytes = journal_page_bytes;  // the last page is written again by each commit
  for (const JournalRow& row : rows) {
    if (auto inserted = insert(row); !inserted.ok()) {
      return failed(std::move(inserted).error());
    }
    bytes += row.body.size();
  }
  log_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  return {};
}

Result<void> SqliteJournal::truncate(std::uint64_t through) {
  if (auto begun = begin(); !begun.ok()) {
    return begun;
  }
  auto cut = writer_->prepare("DELETE FROM journal WHERE sequence <= ?")
                 .integer(1, static_cast<std::int64_t>(through))
                 .run();
  if (cut.ok()) {
    cut = write_cut(*writer_, through);
  }
  return cut.ok() ? cut : failed(std::move(cut).error());
}

Result<void> SqliteJournal::sync() {
  if (auto whole = health(); !whole.ok()) {
    return failed(std::move(whole).error());
  }
  auto committed = writer_->prepare("COMMIT").run();
  if (!committed.ok()) {
    return failed(std::move(committed).error());
  }
  if (!log_.own_thread) {
    (void)keep_log_short();  // what was committed is durable: the next one is told
  }
  return {};
}

Result<std::uint64_t> SqliteJournal::last_sequence() {
  auto last = writer_->one_integer(
      "SELECT max((SELECT coalesce(max(sequence), 0) FROM journal),"
      " (SELECT coalesce(max(through), 0) FROM cut))");
  if (!last.ok()) {
    return std::move(last).error();
  }
  return static_cast<std::uint64_t>(*last);
}

Result<std::vector<JournalRow>> SqliteJournal::rows(std::uint64_t after, std::uint32_t limit) {
  std::lock_guard lock(reader_mutex_);
  std::vector<JournalRow> out;
  auto query = reader_->prepare(
      "SELECT sequence, time, first_leaf, body FROM journal WHERE sequence > ? ORDER BY sequence "
      "LIMIT ?");
  // From the first row on also one whose place is damaged and below zero.
  query.integer(1, after == 0 ? INT64_MIN : static_cast<std::int64_t>(after)).integer(2, limit);
  for (;;) {
    auto more = query.step();
    if (!more.ok()) {
      return std::move(more).error();
    }
    if (!*more) {
      return out;
    }
    JournalRow row;
    row.sequence = static_cast<std::uint64_t>(query.integer(0));
    row.time.ns = query.integer(1);
    row.first_leaf = static_cast<std::uint64_t>(query.integer(2));
    row.body = query.bytes(3);
    if (auto whole = check_row(row, path_); !whole.ok()) {
      return std::move(whole).error();
    }
    out.push_back(std::move(row));
  }
}

// The bulk is copied while commits go on; only the little that came meanwhile is copied with the
// writer held off, which is what lets the log begin anew.
Result<bool> SqliteJournal::copy_log() {
  Result<bool> copied = false;
  for (const auto how :
       {Db::Checkpoint::passive, Db::Checkpoint::passive, Db::Checkpoint::restart}) {
    copied = checkpointer_->checkpoint(how);
    if (!copied.ok()) {
      break;
    }
  }
  return copied;
}

// A log that could not be copied, for want of room or because of a reader, is tried again at the
// next look. A disk that failed is not asked again: a second sync would say yes to what is lost.
// @return false: it failed
bool SqliteJournal::keep_log_short() {
  const std::uint64_t bytes = log_bytes_.load(std::memory_order_relaxed);
  if (bytes < log_.bytes_max) {
    return true;
  }
  auto copied = copy_log();
  if (copied.ok() && *copied) {
    log_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  if (copied.ok() || copied.error().code() != Code::data_loss) {
    return true;
  }
  std::lock_guard lock(mutex_);
  failure_ = std::move(copied).error().with("copying the journal's log");
  broken_.store(true, std::memory_order_release);
  return false;
}

void SqliteJournal::checkpoint_loop() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, look_every, [this] { return stopping_; });
      if (stopping_) {
        return;
      }
    }
    if (!keep_log_short()) {
      return;
    }
  }
}

}  // namespace aios::store::detail

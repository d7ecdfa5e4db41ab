// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/sqlite_journal: journal.db, one append-only table in commit order, synchronous=FULL. Its
// log is copied into the file by a thread of its own, so that no commit waits for that; without
// threads, by the commit that makes it too long.

#include "store/detail/record.h"
#include "store/detail/sqlite_db.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace aios::store::detail {

/// How the log beside the file is kept short.
struct JournalLog {
  bool own_thread = true;  ///< false: a commit that makes it too long copies it
  std::uint64_t bytes_max = std::uint64_t{32} << 20;
};

/// Of files that are made from now on; those that are there keep theirs. A row has 1 to 4 KiB: two
/// in a page share its head, its place in the log and the calls that write it.
constexpr int journal_page_bytes = 8192;

class SqliteJournal {
 public:
  /// data_loss when the file's structure is broken.
  static Result<std::unique_ptr<SqliteJournal>> open(const std::string& path,
                                                     const JournalLog& log = {});
  ~SqliteJournal();
  SqliteJournal(const SqliteJournal&) = delete;
  SqliteJournal& operator=(const SqliteJournal&) = delete;

  std::uint64_t epoch() const { return epoch_; }
  // The writer's thread.
  Result<void> append(const std::vector<JournalRow>& rows);
  Result<void> truncate(std::uint64_t through);
  Result<void> sync();
  /// Of the last row that ever was here: also when all were cut.
  Result<std::uint64_t> last_sequence();
  // Any thread; rows with bodies, checked, records not decoded.
  Result<std::vector<JournalRow>> rows(std::uint64_t after, std::uint32_t limit);
  /// data_loss once copying the log has failed, failed_precondition [AIOS-0424] once another
  /// process took the journal over; the writer is refused from then on.
  Result<void> health();
  /// The same, and whether the journal is ours still. The writer's thread.
  Result<void> idle_health();
  void close();

 private:
  SqliteJournal(std::string path, const JournalLog& log) : path_(std::move(path)), log_(log) {}
  Result<void> begin_writing();
  Result<void> begin();
  Result<void> failed(Error error);
  Result<void> take_epoch();
  Result<void> check_epoch();
  Error taken_over(std::string why);
  Result<void> insert(const JournalRow& row);
  void checkpoint_loop();
  bool keep_log_short();
  Result<bool> copy_log();

  std::string path_;
  JournalLog log_;
  std::unique_ptr<Db> writer_;
  std::mutex reader_mutex_;
  std::unique_ptr<Db> reader_;
  std::unique_ptr<Db> checkpointer_;
  std::uint64_t epoch_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<std::uint64_t> log_bytes_{0};  // written since the log was copied, roughly
  bool stopping_ = false;
  std::atomic<bool> broken_{false};
  std::optional<Error> failure_;  // what broke it
  std::thread thread_;
};

/// The table and its columns; also what restore fills.
Result<void> create_journal(Db& db);
Result<void> insert_row(Db& db, const JournalRow& row);
/// Remembers that the rows up to there were cut, so that an empty journal is not taken for a new
/// one.
Result<void> write_cut(Db& db, std::uint64_t through);

}  // namespace aios::store::detail

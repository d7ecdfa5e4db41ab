// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/sqlite_db: one SQLite connection with its prepared statements, and errors in our words.
// Threading: one thread at a time.

#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace aios::store::detail {

constexpr int format_version = 3;  ///< of every database file of the store

class Db;

/// A prepared statement in use; reset when it goes out of scope. Bind from 1, read from 0.
/// What goes wrong shows at step().
class Statement {
 public:
  Statement(Db& db, sqlite3_stmt* statement);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& integer(int index, std::int64_t value);
  Statement& text(int index, std::string_view value);
  Statement& blob(int index, std::string_view value);
  Statement& null(int index);

  Result<bool> step();  ///< true: there is a row
  Result<void> run();   ///< for what returns no rows; may be run again with other values
  std::int64_t integer(int column) const;
  std::string_view bytes(int column) const;  ///< text or blob; until the next step
  bool is_null(int column) const;

 private:
  Db& db_;
  sqlite3_stmt* statement_;
};

/// make: a file of its own that is made in one transaction, which is open and which made() ends.
/// Nothing of it is synced: who makes it syncs it, and then gives it the name that it is known by.
enum class Access : std::uint8_t { write, read, make };

class Db {
 public:
  /// Opens or creates, in WAL mode, without automatic checkpoints. failed_precondition when the
  /// file has another format.
  static Result<std::unique_ptr<Db>> open(const std::string& path, Access access,
                                          int page_bytes = 4096);
  ~Db();
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;

  /// Ends the making; to be closed then.
  Result<void> made() { return run("COMMIT; PRAGMA journal_mode=WAL"); }
  Result<void> run(const std::string& sql);  ///< one or more statements without results
  /// Kept for the next time, with at most statements_max others: some texts name a day.
  Statement prepare(std::string_view sql);
  static constexpr std::size_t statements_max = 256;
  std::size_t statements() const { return statements_.size(); }  ///< that are kept
  Result<std::int64_t> one_integer(const std::string& sql);
  /// passive: waits for nobody. restart: holds writers off, so that the next one begins the log
  /// anew. truncate: and gives its room back.
  enum class Checkpoint : std::uint8_t { passive, restart, truncate };
  /// Copies the log into the file, durably. @return true when all of it was copied.
  Result<bool> checkpoint(Checkpoint how);
  /// data_loss with that page unless the file's structure is whole: every page is read, 0.4 s of
  /// wall and 0.15 s of CPU for 200 MB.
  Result<void> check_structure(int error_page);
  bool in_transaction() const;
  void roll_back();
  /// data_loss [AIOS-0421] where the disk gave an error for a read, and not [AIOS-0410], which is
  /// damage of the file: SQLite takes the one for the other.
  Error error(int code) const;
  /// A disk that failed under this connection; SQLite keeps that for as long as it is open.
  bool failed() const { return failed_read() != 0; }
  const std::string& path() const { return path_; }

 private:
  friend class Statement;
  explicit Db(std::string path) : path_(std::move(path)) {}
  void forget_statements();
  Result<void> check_format(std::int64_t version) const;
  Result<void> prepare_to_write(std::int64_t version, Access access, int page_bytes);
  int failed_read() const;  ///< the system's error number; 0: none
  sqlite3* handle_ = nullptr;
  std::string path_;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, sqlite3_stmt*, Hash, std::equal_to<>> statements_;
  std::size_t in_use_ = 0;  // Statements that there are
};

}  // namespace aios::store::detail

// SPDX-License-Identifier: Apache-2.0
#include "store/detail/sqlite_db.h"

#include "store/file_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace aios::store::detail {
namespace {

constexpr int application_id = 0x61696f73;  // "aios"
constexpr int busy_ms_max = 30'000;         // somebody's checkpoint or write; both are short

/// SQLite counts the memory it has: nobody reads that, and each allocation of any thread would take
/// the one lock of it. Refused where SQLite was used before; then it goes on counting.
void count_no_memory() {
  static const int refused = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);  // tidy: asked once
  (void)refused;
}

}  // namespace

Statement::Statement(Db& db, sqlite3_stmt* statement) : db_(db), statement_(statement) {
  ++db_.in_use_;
}

Statement::~Statement() {
  --db_.in_use_;
  if (statement_ != nullptr) {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
}

Statement& Statement::integer(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
  return *this;
}

// The bytes must live until the statement is reset; every caller binds what outlives its step.
Statement& Statement::text(int index, std::string_view value) {
  sqlite3_bind_text64(statement_, index, value.data() == nullptr ? "" : value.data(), value.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::blob(int index, std::string_view value) {
  if (value.empty()) {
    sqlite3_bind_zeroblob(statement_, index, 0);
  } else {
    sqlite3_bind_blob64(statement_, index, value.data(), value.size(), SQLITE_STATIC);
  }
  return *this;
}

Statement& Statement::null(int index) {
  sqlite3_bind_null(statement_, index);
  return *this;
}

Result<bool> Statement::step() {
  if (statement_ == nullptr) {
    return db_.error(SQLITE_ERROR);
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code == SQLITE_DONE) {
    return false;
  }
  return db_.error(code);
}

Result<void> Statement::run() {
  auto stepped = step();
  if (statement_ != nullptr) {
    sqlite3_reset(statement_);
  }
  return stepped.ok() ? Result<void>() : Result<void>(std::move(stepped).error());
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string_view()
                         : std::string_view(data, static_cast<std::size_t>(size));
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Result<std::unique_ptr<Db>> Db::open(const std::string& path, Access access, int page_bytes) {
  count_no_memory();
  std::unique_ptr<Db> db(new Db(path));
  // Its owner's alone, whatever the umask; the log beside it gets the same mode. Only a new file is
  // opened here: closing one that SQLite has open would give up its locks.
  (void)Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const int code =
      sqlite3_open_v2(path.c_str(), &db->handle_,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    return db->error(code);
  }
  sqlite3_extended_result_codes(db->handle_, 1);
  sqlite3_busy_timeout(db->handle_, busy_ms_max);
  auto version = db->one_integer("PRAGMA user_version");
  if (!version.ok()) {
    return std::move(version).error();
  }
  auto ready = db->check_format(*version);
  if (ready.ok()) {
    ready = access == Access::read ? db->run(
                                         "PRAGMA query_only=1; PRAGMA wal_autocheckpoint=0;"
                                         "PRAGMA cache_size=-8192;")
                                   : db->prepare_to_write(*version, access, page_bytes);
  }
  if (!ready.ok()) {
    return std::move(ready).error();
  }
  return db;
}

Result<void> Db::check_format(std::int64_t version) const {
  // A file that was just made has none.
  if (version != 0 && version != format_version) {
    return Error(Code::failed_precondition,
                 fmt::format("'{}' has format {}, this build reads format {}", path_, version,
                             format_version))
        .page(408);
  }
  return {};
}

// What a file says of itself is written once: each time would be a commit, with its sync.
Result<void> Db::prepare_to_write(std::int64_t version, Access access, int page_bytes) {
  const std::string says = fmt::format("PRAGMA application_id={}; PRAGMA user_version={};",
                                       application_id, format_version);
  if (access == Access::make) {
    return run(
        fmt::format("PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY;"
                    "PRAGMA page_size={}; BEGIN IMMEDIATE; {}",
                    page_bytes, says));
  }
  auto ready = run(fmt::format(
      "PRAGMA page_size={}; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;", page_bytes));
  return ready.ok() && version == 0 ? run("BEGIN IMMEDIATE;" + says + "COMMIT") : ready;
}

Db::~Db() {
  forget_statements();
  sqlite3_close(handle_);
}

void Db::forget_statements() {
  for (auto& [sql, statement] : statements_) {
    sqlite3_finalize(statement);
  }
  statements_.clear();
}

Result<void> Db::run(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Result<void>() : Result<void>(error(code));
}

Statement Db::prepare(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    // A server that runs for years has a text for each day. While some are in use they stay.
    if (statements_.size() >= statements_max && in_use_ == 0) {
      forget_statements();
    }
    found = statements_.emplace(sql, nullptr).first;
  }
  if (found->second == nullptr) {
    sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                       &found->second, nullptr);
  }
  return {*this, found->second};
}

Result<std::int64_t> Db::one_integer(const std::string& sql) {
  auto query = prepare(sql);
  auto row = query.step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  return *row ? query.integer(0) : 0;
}

Result<bool> Db::checkpoint(Checkpoint how) {
  const int mode = how == Checkpoint::passive   ? SQLITE_CHECKPOINT_PASSIVE
                   : how == Checkpoint::restart ? SQLITE_CHECKPOINT_RESTART
                                                : SQLITE_CHECKPOINT_TRUNCATE;
  int log = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(handle_, nullptr, mode, &log, &copied);
  if (code == SQLITE_BUSY) {
    return false;
  }
  if (code != SQLITE_OK) {
    return error(code);
  }
  return log == copied;
}

Result<void> Db::check_structure(int error_page) {
  auto query = prepare("PRAGMA quick_check(1)");
  auto row = query.step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  const std::string found(*row ? query.bytes(0) : "nothing");
  if (found == "ok") {
    return {};
  }
  if (failed()) {
    return error(SQLITE_CORRUPT);
  }
  return Error(Code::data_loss, fmt::format("'{}' is damaged: {}", path_, found)).page(error_page);
}

// A read that the disk fails is SQLITE_CORRUPT for SQLite ("IOERR_CORRUPTFS"), as damage of the
// file is; what the system said is kept by the file that was read, the database or its log.
int Db::failed_read() const {
  const auto of_disk = [](int number) {
    return number == EIO || number == ENXIO || number == ERANGE ? number : 0;
  };
  int number = 0;
  if (sqlite3_file_control(handle_, "main", SQLITE_FCNTL_LAST_ERRNO, &number) == SQLITE_OK &&
      of_disk(number) != 0) {
    return number;
  }
  sqlite3_file* log = nullptr;
  number = 0;
  if (sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK ||
      log == nullptr || log->pMethods == nullptr ||
      log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &number) != SQLITE_OK) {
    return 0;
  }
  return of_disk(number);
}

bool Db::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

void Db::roll_back() {
  if (in_transaction()) {
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

Error Db::error(int code) const {
  const int extended = handle_ == nullptr ? code : sqlite3_extended_errcode(handle_);
  const std::string text =
      fmt::format("'{}': {} (SQLite {})", path_,
                  handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_), extended);
  const int family = code & 0xff;
  if (family == SQLITE_FULL || extended == SQLITE_IOERR_SHMSIZE) {
    return Error(Code::resource_exhausted, "the disk is full, " + text, Retry::same_call).page(405);
  }
  if (family == SQLITE_IOERR) {
    return Error(Code::data_loss, "the disk failed, " + text).page(421);
  }
  if (family == SQLITE_CORRUPT || family == SQLITE_NOTADB) {
    if (const int number = handle_ == nullptr ? 0 : failed_read()) {
      return Error(Code::data_loss, fmt::format("the disk failed to read '{}': {} (SQLite {})",
                                                path_, std::strerror(number), extended))
          .page(421);
    }
    return Error(Code::data_loss, "damaged file, " + text).page(410);
  }
  if (family == SQLITE_BUSY || family == SQLITE_LOCKED) {
    return Error(Code::unavailable, "locked file, " + text, Retry::same_call).page(413);
  }
  if (family == SQLITE_CANTOPEN || family == SQLITE_PERM || family == SQLITE_READONLY) {
    return Error(Code::unavailable, "file cannot be used, " + text).page(413);
  }
  return Error(Code::internal, text);
}

}  // namespace aios::store::detail

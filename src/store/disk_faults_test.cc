// SPDX-License-Identifier: Apache-2.0
// SQLite on a disk that is full or fails: the system calls that SQLite writes and reads with are
// made to fail, file by file, as the system would make them.
#include "core/test/folder.h"
#include "store/detail/sqlite_db.h"
#include "store/test/subject.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <future>
#include <mutex>

using namespace aios;
using namespace aios::store;
using namespace aios::store::testing;

namespace {

/// What every call of one kind on a file whose name ends so is answered with; one at a time.
enum class Calls : std::uint8_t { writes, reads };
struct Fault {
  std::mutex mutex;
  Calls calls = Calls::writes;
  std::string file;
  int error_number = 0;
};
Fault& fault() {
  static Fault* const one = new Fault;
  return *one;
}

/// 0: the call may go on.
int fault_of(Calls calls, int fd) {
  Fault& armed = fault();
  std::lock_guard lock(armed.mutex);
  if (armed.file.empty() || armed.calls != calls) {
    return 0;
  }
  std::array<char, 4096> path{};
  const ssize_t size =
      ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), path.data(), path.size());
  const std::string_view name(path.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
  return name.ends_with(armed.file) ? armed.error_number : 0;
}

ssize_t write_or_fail(int fd, const void* bytes, std::size_t size, off_t at) {
  if (const int number = fault_of(Calls::writes, fd)) {
    errno = number;
    return -1;
  }
  return ::pwrite(fd, bytes, size, at);
}

ssize_t read_or_fail(int fd, void* bytes, std::size_t size, off_t at) {
  if (const int number = fault_of(Calls::reads, fd)) {
    errno = number;
    return -1;
  }
  return ::pread(fd, bytes, size, at);
}

/// Puts our write and read in the place of SQLite's while it lives.
class FaultyWrites {
 public:
  FaultyWrites() : vfs_(sqlite3_vfs_find(nullptr)) {
    put({"pwrite", "pwrite64"}, reinterpret_cast<sqlite3_syscall_ptr>(&write_or_fail));
    put({"pread", "pread64"}, reinterpret_cast<sqlite3_syscall_ptr>(&read_or_fail));
  }
  ~FaultyWrites() {
    heal();
    vfs_->xSetSystemCall(vfs_, nullptr, nullptr);  // all as they were
  }
  FaultyWrites(const FaultyWrites&) = delete;
  FaultyWrites& operator=(const FaultyWrites&) = delete;
  void fail(const std::string& file, int error_number, Calls calls = Calls::writes) {
    std::lock_guard lock(fault().mutex);
    fault().calls = calls;
    fault().file = file;
    fault().error_number = error_number;
  }
  void heal() { fail("", 0); }

 private:
  void put(std::initializer_list<const char*> calls, sqlite3_syscall_ptr ours) {
    for (const char* call : calls) {
      if (vfs_->xGetSystemCall(vfs_, call) != nullptr) {
        vfs_->xSetSystemCall(vfs_, call, ours);
      }
    }
  }
  sqlite3_vfs* vfs_;
};

Transition writing(Subject& subject, const std::string& id, std::uint64_t version,
                   const std::string& who = "") {
  Transition out = subject.transition();
  out.streams.push_back(write(id, version, "state", "running", who));
  return out;
}

/// Not to be compressed.
std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint64_t x = 7;
  for (char& byte : bytes) {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    byte = static_cast<char>(x >> 33);
  }
  return bytes;
}

void check_full(const Error& error) {
  CHECK(error.code() == Code::resource_exhausted);
  CHECK(error.retry() == Retry::same_call);
  CHECK(error.page() == 405);
}

}  // namespace

TEST_CASE("store: a disk without room for the journal refuses, loses nothing and goes on") {
  FaultyWrites writes;
  Subject subject(Kind::sqlite);
  subject.must_commit(writing(subject, "run_a", 0, "ann"));
  writes.fail("/journal.db-wal", ENOSPC);
  for (int i = 0; i < 3; ++i) {
    auto refused = subject.commit(writing(subject, "run_a", 1, fmt::format("person {}", i)));
    REQUIRE(!refused.ok());
    check_full(refused.error());
    CHECK(refused.error().retry_after().has_value());
    subject.clock().advance(std::chrono::seconds(1));
  }
  CHECK(subject.stream("run_a").version == 1);
  writes.heal();
  const Committed committed = subject.must_commit(writing(subject, "run_a", 1, "ann"));
  CHECK(committed.sequence == 2);
  subject.crash();
  CHECK(subject.stream("run_a").version == 2);
  CHECK(subject.history("run_a").size() == 2);
}

TEST_CASE("store: a disk without room for keys refuses new subjects and serves the known ones") {
  FaultyWrites writes;
  Subject subject(Kind::sqlite);
  subject.must_commit(writing(subject, "run_a", 0, "ann"));
  writes.fail("/keystore.db-wal", ENOSPC);
  int accepted = 0;
  auto answer = Result<Committed>(Committed());
  for (int i = 0; i < 100 && answer.ok(); ++i) {
    const std::string who = fmt::format("person {}", i);
    answer = subject.commit(writing(subject, "run_" + std::to_string(i), 0, who));
    accepted += answer.ok() ? 1 : 0;
  }
  REQUIRE(!answer.ok());
  check_full(answer.error());
  CHECK(accepted == 15);  // what was left of the first pool
  subject.must_commit(writing(subject, "run_a", 1, "ann"));
  writes.heal();
  subject.must_commit(writing(subject, "run_z", 0, "one more"));
  subject.crash();
  CHECK(subject.stream("run_z").state == "state");
  CHECK(subject.stream("run_a").version == 2);
}

TEST_CASE("store: a disk without room for the tables is told of, commits go on until then") {
  FaultyWrites writes;
  Subject subject(Kind::sqlite);
  subject.must_commit(writing(subject, "run_a", 0));
  CHECK(subject.store().stats().fold_error.empty());
  writes.fail("/tables.db-wal", ENOSPC);
  std::uint64_t version = 1;
  for (; version < 20'000 && subject.store().stats().fold_error.empty(); ++version) {
    subject.must_commit(writing(subject, "run_a", version));
  }
  CHECK(subject.store().stats().fold_error.find("AIOS-0405") != std::string::npos);
  CHECK(subject.stream("run_a").version == version);
  writes.heal();
  subject.reopen();
  CHECK(subject.store().stats().fold_error.empty());
  CHECK(subject.stream("run_a").version == version);
}

TEST_CASE("store: a blob for which there is no room is refused and leaves nothing") {
  Subject subject(Kind::sqlite);
  const Payload large{"ann", std::string(100'000, 'l')};
  const std::string name = subject.run(subject.store().put_blob(subject.context(), large)).value();
  const std::string directory = subject.options().directory + "/blobs/" + name.substr(5, 2) + "/";
  REQUIRE(subject.run(subject.store().erase_subject(subject.context(), "ann")).value() == 1);
  std::filesystem::remove(directory + name);
  // Where the file would be written there is a device that is always full.
  std::filesystem::create_symlink("/dev/full", directory + name + ".new");
  auto refused = subject.run(subject.store().put_blob(subject.context(), large));
  REQUIRE(!refused.ok());
  check_full(refused.error());
  CHECK(std::filesystem::is_empty(directory));
  auto missing = subject.run(subject.store().blob(subject.context(), name));
  CHECK(missing.error().code() == Code::not_found);
  CHECK(subject.run(subject.store().put_blob(subject.context(), large)).value() == name);
  CHECK(subject.run(subject.store().blob(subject.context(), name)).value() == large.bytes);
}

TEST_CASE("store: a disk that fails under the copying of the journal's log is fatal") {
  FaultyWrites writes;
  std::promise<std::string> told;  // outlive the store, which may tell until it is closed
  std::atomic<bool> once{false};
  Subject subject(Kind::sqlite);
  subject.options().on_fatal = [&](const std::string& what) {
    if (!once.exchange(true)) {
      told.set_value(what);
    }
  };
  subject.reopen();
  writes.fail("/journal.db", EIO);  // written to by the copying alone
  const std::string bytes = noise(3'500'000);
  for (std::uint64_t i = 0; i < 11 && !once; ++i) {
    Transition out = subject.transition();
    out.streams.push_back(write("run_a", i, "x"));
    out.streams.back().state->bytes = bytes;
    (void)subject.commit(std::move(out));
  }
  auto what = told.get_future();
  REQUIRE(what.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  CHECK(what.get().find("AIOS-0421") != std::string::npos);
  CHECK(subject.commit(writing(subject, "run_b", 0)).error().code() == Code::data_loss);
  writes.heal();
}

TEST_CASE("store: a disk that fails to read is told of as that, and not as damage of the file") {
  FaultyWrites calls;
  for (const int number : {EIO, ENXIO}) {
    Subject subject(Kind::sqlite);
    for (int i = 10; i < 50; ++i) {  // a page of the tables each
      Transition out = writing(subject, fmt::format("run_{}", i), 0);
      out.streams.back().state->bytes = noise(6'000);
      subject.must_commit(std::move(out));
    }
    subject.reopen();
    CHECK(subject.stream("run_10").version == 1);  // opens the file
    calls.fail("/tables.db", number, Calls::reads);
    auto unread = subject.run(subject.store().stream(subject.context(), StreamKind::run, "run_49"));
    REQUIRE(!unread.ok());
    CHECK(unread.error().code() == Code::data_loss);
    CHECK(unread.error().page() == 421);
    CHECK(unread.error().message().find("failed to read") != std::string::npos);
    CHECK(unread.error().message().find("/tables.db'") != std::string::npos);
    calls.heal();
    CHECK(subject.stream("run_49").version == 1);
  }
}

TEST_CASE("store: a look at every page of a file that the disk does not give finds no damage") {
  FaultyWrites calls;
  const aios::test::Folder scratch;
  const std::string path = scratch.at("pages.db");
  {
    auto db = detail::Db::open(path, detail::Access::write);
    REQUIRE(db.ok());
    REQUIRE((*db)
                ->run("CREATE TABLE a(b); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                      "FROM n WHERE i < 100) INSERT INTO a SELECT zeroblob(3000) FROM n")
                .ok());
  }
  auto db = detail::Db::open(path, detail::Access::write);
  REQUIRE(db.ok());
  calls.fail("/pages.db", EIO, Calls::reads);
  auto looked = (*db)->check_structure(426);
  calls.heal();
  REQUIRE(!looked.ok());
  CHECK(looked.error().page() == 421);
  auto healed = detail::Db::open(path, detail::Access::write);
  CHECK(healed.value()->check_structure(426).ok());
}

TEST_CASE(
    "store: tables that the disk does not give for a fold make the store read-only until then") {
  FaultyWrites calls;
  Subject subject(Kind::sqlite);
  for (int i = 0; i < 500; ++i) {
    subject.must_commit(writing(subject, fmt::format("run_{:03}", i), 0));
  }
  subject.reopen();
  calls.fail("/tables.db", EIO, Calls::reads);
  auto answer = Result<Committed>(Committed());
  for (int i = 0; i < 20'000 && answer.ok(); ++i) {
    answer = subject.commit(writing(subject, fmt::format("run_{}", 10'000 + i), 0));
  }
  REQUIRE(!answer.ok());
  CHECK(answer.error().page() == 421);
  calls.heal();
}

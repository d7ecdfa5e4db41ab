// SPDX-License-Identifier: Apache-2.0
// The files of a data directory belong together: one that is lost, older or of another directory
// is noticed before anything is answered.
#include "store/detail/sqlite_db.h"
#include "store/detail/sqlite_journal.h"
#include "store/detail/sqlite_tables.h"
#include "store/test/subject.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

using namespace aios;
using namespace aios::store;
using namespace aios::store::testing;
namespace fs = std::filesystem;

namespace {

void commit_runs(Subject& subject, int from, int to) {
  for (int i = from; i < to; ++i) {
    Transition out = subject.transition();
    out.streams.push_back(write(fmt::format("run_{:03}", i), 0, "state", "running", "person"));
    subject.must_commit(std::move(out));
  }
}

/// Closed, so that all of it is folded.
void fill(Subject& subject) {
  commit_runs(subject, 0, 20);
  subject.close();
}

std::string file_of(Subject& subject, const std::string& name) {
  return subject.options().directory + "/" + name;
}

void refused(Subject& subject, const std::string& name) {
  auto opened = open_store(subject.options(), subject.clock());
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code() == Code::failed_precondition);
  CHECK(opened.error().page() == 422);
  CHECK_MESSAGE(opened.error().message().find(name) != std::string::npos, opened.error().message());
}

}  // namespace

TEST_CASE("store: a lost file beside the others is refused, and not made anew") {
  for (const char* name : {"journal.db", "tables.db", "keystore.db"}) {
    Subject subject(Kind::sqlite);
    fill(subject);
    const std::string path = file_of(subject, name);
    fs::rename(path, path + ".away");
    refused(subject, name);
    CHECK_FALSE(fs::exists(path));
    fs::rename(path + ".away", path);
    subject.open();
    CHECK(subject.stream("run_019").state == "state");
  }
}

TEST_CASE("store: a file of another directory is refused") {
  for (const char* name : {"journal.db", "tables.db", "keystore.db"}) {
    Subject subject(Kind::sqlite);
    Subject other(Kind::sqlite);
    fill(subject);
    fill(other);
    fs::copy_file(file_of(other, name), file_of(subject, name),
                  fs::copy_options::overwrite_existing);
    refused(subject, name);
  }
}

TEST_CASE("store: a journal older than the tables is refused") {
  Subject subject(Kind::sqlite);
  commit_runs(subject, 0, 20);
  subject.close();
  const std::string journal = file_of(subject, "journal.db");
  fs::copy_file(journal, journal + ".old");
  subject.open();
  commit_runs(subject, 20, 40);
  subject.close();
  fs::rename(journal, journal + ".new");
  fs::rename(journal + ".old", journal);
  refused(subject, "journal.db");
  fs::rename(journal + ".new", journal);
  subject.open();
  CHECK(subject.stream("run_039").state == "state");
}

TEST_CASE("store: a directory whose making was cut off is completed") {
  for (const char* name : {"journal.db", "tables.db", "keystore.db"}) {
    Subject subject(Kind::sqlite);
    subject.close();
    fs::remove(file_of(subject, name));
    subject.open();
    commit_runs(subject, 0, 3);
    subject.reopen();
    CHECK(subject.stream("run_002").state == "state");
  }
}

TEST_CASE("store: what a first start was making when it was cut off is made anew") {
  Subject subject(Kind::sqlite);
  subject.close();
  const std::string& directory = subject.options().directory;
  const std::vector<std::string> names = {"journal.db", "tables.db", "keystore.db"};
  std::ofstream(file_of(subject, "journal.db.new-wal")) << "a log of another file";
  for (const std::string& name : names) {
    fs::remove(file_of(subject, name));
    std::ofstream(file_of(subject, name + ".new")) << "half of a file";
  }
  fs::remove(file_of(subject, "root.key"));  // so that nothing shows whose directory it is
  subject.open();
  commit_runs(subject, 0, 3);
  subject.reopen();
  CHECK(subject.stream("run_002").state == "state");
  for (const auto& entry : fs::directory_iterator(directory)) {
    CHECK(entry.path().filename().string().find(".new") == std::string::npos);
  }
}

TEST_CASE("store: a log beside a file that is to be made is not taken for its own") {
  Subject subject(Kind::sqlite);
  subject.close();
  const std::string journal = file_of(subject, "journal.db");
  Subject other(Kind::sqlite);
  commit_runs(other, 0, 3);
  fs::copy_file(file_of(other, "journal.db-wal"), journal + "-wal");
  fs::remove(journal);
  subject.open();
  CHECK(subject.store().stats().sequence == 0);
  commit_runs(subject, 0, 3);
  subject.reopen();
  CHECK(subject.stream("run_002").state == "state");
}

TEST_CASE("store: a start that finds nothing to do writes neither keys nor tables") {
  Subject subject(Kind::sqlite);
  fill(subject);
  const auto read = [&](const char* name) {
    std::ifstream file(file_of(subject, name), std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  };
  const std::string keys = read("keystore.db");
  const std::string tables = read("tables.db");
  subject.open();
  subject.close();
  CHECK(read("keystore.db") == keys);
  CHECK(read("tables.db") == tables);
}

TEST_CASE("store: a file whose tables were only made in part is completed") {
  for (const char* name : {"journal.db", "tables.db", "keystore.db"}) {
    std::vector<std::string> tables;  // in the order in which they are made
    {
      Subject whole(Kind::sqlite);
      whole.close();
      auto db = detail::Db::open(file_of(whole, name), detail::Access::read);
      REQUIRE(db.ok());
      auto rows = (*db)->prepare(
          "SELECT sql FROM sqlite_master WHERE type = 'table' AND name <> 'identity' "
          "ORDER BY rowid");
      for (auto row = rows.step(); row.ok() && *row; row = rows.step()) {
        tables.emplace_back(rows.bytes(0));
      }
    }
    REQUIRE(tables.size() > 1);
    for (std::size_t made = 0; made < tables.size(); ++made) {
      CAPTURE(name);
      CAPTURE(made);
      Subject subject(Kind::sqlite);
      subject.close();
      fs::remove(file_of(subject, name));
      {
        auto db =
            detail::Db::open(file_of(subject, name), detail::Access::write,
                             std::string_view(name) == "tables.db"    ? detail::tables_page_bytes
                             : std::string_view(name) == "journal.db" ? detail::journal_page_bytes
                                                                      : 4096);
        REQUIRE(db.ok());
        for (std::size_t i = 0; i < made; ++i) {
          REQUIRE((*db)->run(tables[i]).ok());
        }
      }
      subject.open();
      commit_runs(subject, 0, 3);
      subject.reopen();
      CHECK(subject.stream("run_002").state == "state");
    }
  }
}

TEST_CASE("store: a directory whose journal was cut to nothing opens again") {
  Subject subject(Kind::sqlite);
  fill(subject);
  {
    auto db = detail::Db::open(file_of(subject, "journal.db"), detail::Access::write);
    REQUIRE(db.ok());
    const auto last = (*db)->one_integer("SELECT max(sequence) FROM journal");
    const auto cut = (*db)->one_integer("SELECT through FROM cut");
    REQUIRE((last.ok() && cut.ok()));
    REQUIRE((*db)
                ->run(fmt::format("DELETE FROM journal; INSERT OR REPLACE INTO cut VALUES(1, {})",
                                  std::max(*last, *cut)))
                .ok());
  }
  subject.open();
  commit_runs(subject, 20, 25);
  subject.reopen();
  CHECK(subject.stream("run_000").state == "state");
  CHECK(subject.stream("run_024").state == "state");
}

TEST_CASE("store: a directory of somebody else's files is refused and left as it is") {
  Subject subject(Kind::sqlite);
  subject.close();
  const std::string folder = subject.scratch().at("home");
  fs::create_directory(folder);
  fs::create_directory(folder + "/secrets");
  fs::create_directory(folder + "/letters");
  fs::permissions(folder, fs::perms(0755));
  subject.options().directory = folder;
  const auto opened = open_store(subject.options(), subject.clock());
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().page() == 423);
  CHECK(opened.error().message().find("'letters'") != std::string::npos);
  CHECK(fs::status(folder).permissions() == fs::perms(0755));
  CHECK(std::distance(fs::directory_iterator(folder), fs::directory_iterator()) == 2);
  fs::remove(folder + "/letters");
  subject.open();  // prepared with secrets: ours
  commit_runs(subject, 0, 1);
  subject.close();
  fs::create_directory(folder + "/letters");
  subject.open();  // a data directory, whatever lies in it
  CHECK(subject.stream("run_000").state == "state");
}

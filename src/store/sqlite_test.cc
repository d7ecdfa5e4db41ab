// SPDX-License-Identifier: Apache-2.0
// What only a store on a real directory can be asked: locks, formats, keys, rights, sizes.
#include "store/detail/sqlite_db.h"
#include "store/detail/sqlite_journal.h"
#include "store/test/subject.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

using namespace aios;
using namespace aios::store;
using namespace aios::store::testing;

namespace {

Transition writing(Subject& subject, StreamWrite stream) {
  Transition out = subject.transition();
  out.streams.push_back(std::move(stream));
  return out;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

unsigned rights(const std::string& path) {
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

/// About as much as a finished run leaves: two lines of history, a state and two audit leaves.
std::string filler(int seed, std::size_t size) {
  std::string out = "{";
  for (std::uint64_t x = static_cast<std::uint64_t>(seed) * 7919 + 13; out.size() < size;) {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    out += fmt::format("\"f{}\":\"{:x}\",", out.size() % 7, x >> 20);
  }
  out.resize(size);
  return out;
}

}  // namespace

TEST_CASE("store: a second opener is refused and told who holds the directory") {
  Subject subject(Kind::sqlite);
  auto second = open_store(subject.options(), subject.clock());
  REQUIRE(!second.ok());
  CHECK(second.error().code() == Code::unavailable);
  CHECK(second.error().page() == 409);
  CHECK(second.error().text().find(std::to_string(::getpid())) != std::string::npos);
  subject.close();
  CHECK(open_store(subject.options(), subject.clock()).ok());
}

TEST_CASE("store: a second opener is refused also when the lock file was removed") {
  Subject subject(Kind::sqlite);
  const std::string& directory = subject.options().directory;
  REQUIRE(std::filesystem::remove(directory + "/lock"));
  const std::uint64_t epoch = subject.store().epoch();
  auto second = open_store(subject.options(), subject.clock());
  REQUIRE(!second.ok());
  CHECK(second.error().code() == Code::unavailable);
  CHECK(second.error().page() == 409);
  CHECK(!std::filesystem::exists(directory + "/lock"));
  subject.must_commit(writing(subject, write("run_a", 0, "x")));
  subject.reopen();
  CHECK(subject.store().epoch() == epoch + 1);  // the refused one took none
  CHECK(subject.stream("run_a").state == "x");
}

TEST_CASE("store: a file of another format is refused, naming both versions") {
  for (const char* file : {"journal.db", "tables.db", "keystore.db"}) {
    Subject subject(Kind::sqlite);
    subject.close();
    const std::string path = subject.options().directory + "/" + file;
    {
      auto db = detail::Db::open(path, detail::Access::write);
      REQUIRE(db.ok());
      REQUIRE((*db)->run("PRAGMA user_version=7").ok());
    }
    auto refused = open_store(subject.options(), subject.clock());
    REQUIRE(!refused.ok());
    CHECK(refused.error().code() == Code::failed_precondition);
    CHECK(refused.error().page() == 408);
    CHECK(refused.error().message().find(path) != std::string::npos);
    CHECK(refused.error().message().find("format 7") != std::string::npos);
    CHECK(refused.error().message().find("format 3") != std::string::npos);
  }
}

TEST_CASE("store: a wrong or missing root key is refused") {
  Subject subject(Kind::sqlite);
  subject.must_commit(writing(subject, write("run_a", 0, "x")));
  subject.close();
  const std::string file = subject.options().directory + "/root.key";
  StoreOptions wrong = subject.options();
  wrong.root_key = std::string(32, 'k');
  auto refused = open_store(wrong, subject.clock());
  CHECK(refused.error().code() == Code::permission_denied);
  CHECK(refused.error().page() == 411);
  const std::string key = bytes_of(file);
  CHECK(key.size() == 32);
  std::filesystem::remove(file);
  CHECK(open_store(subject.options(), subject.clock()).error().code() == Code::permission_denied);
  CHECK(!std::filesystem::exists(file));
  StoreOptions given = subject.options();
  given.root_key = key;
  CHECK(open_store(given, subject.clock()).ok());
}

TEST_CASE("store: a damaged database is named and refused") {
  Subject subject(Kind::sqlite);
  subject.close();
  const std::string path = subject.options().directory + "/tables.db";
  std::ofstream(path, std::ios::binary | std::ios::trunc) << std::string(20'000, 'x');
  auto refused = open_store(subject.options(), subject.clock());
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::data_loss);
  CHECK(refused.error().page() == 410);
  CHECK(refused.error().message().find(path) != std::string::npos);
}

TEST_CASE("store: directory and keys are for their owner alone") {
  Subject subject(Kind::sqlite);
  CHECK(rights(subject.options().directory) == 0700);
  CHECK(rights(subject.options().directory + "/root.key") == 0600);
  subject.close();
  REQUIRE(::chmod(subject.options().directory.c_str(), 0755) == 0);
  subject.open();
  CHECK(rights(subject.options().directory) == 0700);
}

TEST_CASE("store: files are their owner's alone under any umask") {
  const mode_t before = ::umask(0);
  Subject subject(Kind::sqlite);
  subject.must_commit(writing(subject, write("run_a", 0, "x")));
  for (const auto& entry : std::filesystem::directory_iterator(subject.options().directory)) {
    CHECK_MESSAGE((rights(entry.path().string()) & 0077) == 0, entry.path().string());
  }
  ::umask(before);
}

TEST_CASE("store: keys that others may read or write are refused, naming the mode") {
  for (const char* name : {"root.key", "keystore.db"}) {
    Subject subject(Kind::sqlite);
    subject.must_commit(writing(subject, write("run_a", 0, "x")));
    subject.close();
    const std::string file = subject.options().directory + "/" + name;
    for (const mode_t mode : {0666U, 0640U, 0602U}) {
      REQUIRE(::chmod(file.c_str(), mode) == 0);
      auto refused = open_store(subject.options(), subject.clock());
      REQUIRE(!refused.ok());
      CHECK(refused.error().code() == Code::permission_denied);
      CHECK(refused.error().page() == 425);
      const std::string wanted = fmt::format("{}' has mode {:04o}", name, mode);
      CHECK(refused.error().message().find(wanted) != std::string::npos);
    }
    REQUIRE(::chmod(file.c_str(), 0600) == 0);
    subject.open();
    CHECK(subject.stream("run_a").state == "x");
  }
}

TEST_CASE("store: no payload stands in clear on the disk") {
  Subject subject(Kind::sqlite);
  const std::string secret = "the-secret-of-ann";
  Transition out = writing(subject, write("run_a", 0, secret, "running", "subject-ann"));
  out.outbox.push_back({"topic", "", {"subject-ann", secret}});
  const std::string digest = "sha-256-of-what-ann-has-sent-us.";
  out.keys.push_back({"space", "key-of-ann", digest, ""});
  subject.must_commit(out);
  const Payload large{"subject-ann", std::string(20'000, 'y') + secret};
  REQUIRE(subject.run(subject.store().put_blob(subject.context(), large)).ok());
  for (int round = 0; round < 2; ++round) {
    std::size_t files = 0;
    const std::string& directory = subject.options().directory;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (entry.is_regular_file()) {
        ++files;
        const std::string bytes = bytes_of(entry.path());
        CHECK(bytes.find(secret) == std::string::npos);
        CHECK(bytes.find("subject-ann") == std::string::npos);
        CHECK(bytes.find("key-of-ann") == std::string::npos);
        CHECK(bytes.find(digest) == std::string::npos);
      }
    }
    CHECK(files >= 6);
    subject.reopen();
  }
}

TEST_CASE("store: a request's digest that was kept in clear, as once they all were, still tells") {
  Subject subject(Kind::sqlite);
  const std::string digest(32, 'd');
  Transition out = writing(subject, write("run_a", 0, "x"));
  out.keys.push_back({"event:tickets", "id-1", digest, "evt_1"});
  subject.must_commit(out);
  subject.close();
  {
    auto db = detail::Db::open(subject.options().directory + "/tables.db", detail::Access::write);
    REQUIRE(db.ok());
    const std::int64_t day = subject.clock().now().ns / 86'400'000'000'000;
    auto update = (*db)->prepare(fmt::format("UPDATE keys_{} SET digest = ?", day));
    REQUIRE(update.blob(1, digest).run().ok());
  }
  subject.open();
  const auto same = [&](const std::string& asked) {
    KeyClaim claim{"event:tickets", "id-1", asked, ""};
    auto found = subject.run(subject.store().key(subject.context(), std::move(claim)));
    REQUIRE(found.ok());
    REQUIRE(found->has_value());
    CHECK((*found)->value == "evt_1");
    return (*found)->same_request;
  };
  CHECK(same(digest));
  CHECK(!same(std::string(32, 'e')));
  CHECK(!same(""));
}

TEST_CASE("store: a destroyed key is nowhere in the keystore's files") {
  Subject subject(Kind::sqlite);
  subject.must_commit(writing(subject, write("run_a", 0, "x", "running", "ann")));
  std::string wrapped;
  {
    auto db = detail::Db::open(subject.options().directory + "/keystore.db", detail::Access::read);
    REQUIRE(db.ok());
    auto query = (*db)->prepare("SELECT wrapped FROM keys WHERE id = (SELECT min(id) FROM keys)");
    REQUIRE(query.step().value());
    wrapped = query.bytes(0);
  }
  REQUIRE(wrapped.size() > 32);
  const auto found = [&] {
    std::string all;
    for (const char* suffix : {"", "-wal", "-shm"}) {
      all += bytes_of(subject.options().directory + "/keystore.db" + suffix);
    }
    return all.find(wrapped.substr(0, 24)) != std::string::npos;
  };
  CHECK(found());
  REQUIRE(subject.run(subject.store().erase_subject(subject.context(), "ann")).value() == 1);
  CHECK(!found());
}

TEST_CASE("store: one caller's commit costs one sync") {
  Subject subject(Kind::sqlite);
  const std::uint64_t before = subject.store().stats().syncs;
  for (std::uint64_t i = 0; i < 20; ++i) {
    subject.must_commit(writing(subject, write("run_a", i, "x")));
  }
  CHECK(subject.store().stats().syncs - before == 20);
}

TEST_CASE("store: a key from before the start is taken, before and after all of them are known") {
  Subject subject(Kind::sqlite);
  const auto claim = [&](const std::string& key) {
    Transition out = subject.transition();
    out.keys.push_back({"event:tickets", key, "digest", "run_1"});
    return subject.commit(std::move(out));
  };
  REQUIRE(claim("before").ok());
  subject.reopen();
  CHECK(claim("before").error().page() == 402);
  const auto next = claim("after");
  REQUIRE(next.ok());
  while (subject.store().stats().folded < next->sequence) {
    std::this_thread::yield();
  }
  CHECK(claim("before").error().page() == 402);
  CHECK(claim("after").error().page() == 402);
  CHECK(claim("never").ok());
}

TEST_CASE("store: a key is asked for while its day is dropped") {
  Subject subject(Kind::sqlite);
  Transition out = subject.transition();
  out.keys.push_back({"event:tickets", "id-1", "digest", "run_1"});
  subject.must_commit(out);
  subject.reopen();
  const auto ask = [&] {
    KeyClaim claim{"event:tickets", "id-1", "digest", ""};
    auto found = subject.run(subject.store().key(subject.context(), std::move(claim)));
    REQUIRE(found.ok());
    return found->has_value();
  };
  CHECK(ask());
  // As between the commit of a fold that drops it and the list of days.
  auto db = detail::Db::open(subject.options().directory + "/tables.db", detail::Access::write);
  REQUIRE(db.ok());
  const std::int64_t day = subject.clock().now().ns / 86'400'000'000'000;
  REQUIRE((*db)->run(fmt::format("DROP TABLE keys_{}", day)).ok());
  CHECK_FALSE(ask());
}

TEST_CASE("store: a finished run leaves at most 2,500 bytes") {
  Subject subject(Kind::sqlite);
  const int runs_written = 2000;
  std::vector<Transition> many;
  for (int i = 0; i < runs_written; ++i) {
    Transition out = subject.transition();
    StreamWrite stream = write(fmt::format("run_01kdq{:021}", i), 0, filler(i, 300), "completed");
    stream.end = StreamEnd::closed;
    stream.history = {{1, Time{i}, {"", filler(i + 1, 200)}},
                      {2, Time{i}, {"", filler(i + 2, 200)}}};
    out.streams.push_back(std::move(stream));
    out.leaves = {{filler(i + 3, 300)}, {filler(i + 4, 300)}};
    many.push_back(std::move(out));
  }
  for (const auto& answer : subject.commit_together(std::move(many))) {
    REQUIRE(answer.ok());
  }
  subject.close();
  const auto tables = std::filesystem::file_size(subject.options().directory + "/tables.db");
  CHECK(tables / runs_written <= 2500);
  MESSAGE("bytes a finished run leaves in the tables: ", tables / runs_written);
}

TEST_CASE("store: a journal with the pages of before is read and written on, and keeps them") {
  for (const int page_bytes : {4096, detail::journal_page_bytes}) {
    CAPTURE(page_bytes);
    Subject subject(Kind::sqlite);
    subject.must_commit(writing(subject, write("run_1", 0, "before")));
    subject.close();
    const std::string path = subject.options().directory + "/journal.db";
    {
      auto db = detail::Db::open(path, detail::Access::write).value();
      REQUIRE(db->run(fmt::format("PRAGMA journal_mode=DELETE; PRAGMA page_size={}; VACUUM;"
                                  "PRAGMA journal_mode=WAL;",
                                  page_bytes))
                  .ok());
    }
    subject.open();
    subject.must_commit(writing(subject, write("run_2", 0, "after")));
    subject.reopen();
    CHECK(subject.stream("run_1").state == "before");
    CHECK(subject.stream("run_2").state == "after");
    subject.close();
    auto db = detail::Db::open(path, detail::Access::write).value();
    CHECK(db->one_integer("PRAGMA page_size").value() == page_bytes);
  }
}

TEST_CASE("store: a connection keeps so many statements and no more, and those in use") {
  Subject subject(Kind::sqlite);
  subject.close();
  auto opened = detail::Db::open(subject.options().directory + "/tables.db", detail::Access::read);
  REQUIRE(opened.ok());
  detail::Db& db = **opened;
  const auto ask_for_days = [&db](int days) {
    for (int day = 0; day < days; ++day) {
      CHECK(*db.one_integer(fmt::format("SELECT {}", day)) == day);
    }
  };
  ask_for_days(1'000);
  CHECK(db.statements() <= detail::Db::statements_max);
  auto in_use = db.prepare("SELECT 'kept'");
  REQUIRE(*in_use.step());
  ask_for_days(1'000);
  CHECK(in_use.bytes(0) == "kept");
}

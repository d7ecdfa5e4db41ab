// SPDX-License-Identifier: Apache-2.0
// Tables that are damaged: writes are refused and reads go on; nothing that was answered is lost,
// because the journal keeps what the tables lack.
#include "store/test/subject.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace aios::store::testing {
namespace {

Transition writing(Subject& subject, StreamWrite write) {
  Transition out = subject.transition();
  out.streams.push_back(std::move(write));
  return out;
}

void commit_rows(Subject& subject, const std::string& prefix, int count) {
  for (int i = 0; i < count; ++i) {
    auto row = write(fmt::format("run_{}{:04}", prefix, i), 0, std::string(2'000, 's'));
    subject.must_commit(writing(subject, std::move(row)));
  }
}

}  // namespace

TEST_CASE("store: damaged tables end no process: writes are refused, and nothing is lost") {
  Subject subject(Kind::memory_inline);
  subject.options().on_fatal = [](const std::string& what) { FAIL(what); };
  subject.reopen();
  subject.must_commit(writing(subject, write("run_a", 0, "first")));
  subject.disk().set_tables_damaged(true);
  int taken = 0;
  auto answer = subject.commit(writing(subject, write(fmt::format("run_b{}", taken), 0, "x")));
  while (answer.ok() && taken < 100) {
    ++taken;
    answer = subject.commit(writing(subject, write(fmt::format("run_b{}", taken), 0, "x")));
  }
  REQUIRE(!answer.ok());
  CHECK(answer.error().code() == Code::resource_exhausted);
  CHECK(answer.error().retry() == Retry::same_call);
  CHECK(answer.error().page() == 410);
  CHECK(subject.store().stats().damaged);
  CHECK(subject.stream("run_a").state == "first");
  subject.disk().set_tables_damaged(false);
  subject.reopen();
  CHECK(!subject.store().stats().damaged);
  for (int i = 0; i < taken; ++i) {
    CHECK(subject.stream(fmt::format("run_b{}", i)).state == "x");
  }
}

TEST_CASE("store: after an end that was not orderly, damage in any page refuses the start") {
  Subject subject(Kind::sqlite);
  const std::string directory = subject.options().directory;
  commit_rows(subject, "a", 200);
  subject.close();
  const std::string tables = directory + "-tables";
  std::filesystem::copy(directory + "/tables.db", tables);
  subject.open();
  commit_rows(subject, "b", 1);
  const std::string killed = directory + "-killed";
  std::filesystem::copy(directory, killed, std::filesystem::copy_options::recursive);
  subject.close();
  // The tables as they were before the last commit: what a kill leaves.
  const auto put_tables = [&] {
    for (const char* name : {"/tables.db", "/tables.db-wal", "/tables.db-shm"}) {
      std::filesystem::remove(killed + name);
    }
    std::filesystem::copy(tables, killed + "/tables.db");
  };
  StoreOptions options = subject.options();
  options.directory = killed;
  put_tables();
  std::fstream file(killed + "/tables.db", std::ios::binary | std::ios::in | std::ios::out);
  const auto half = static_cast<std::streamoff>(std::filesystem::file_size(tables) / 2);
  file.seekp(half - half % 65'536);  // the start of a page, whatever its size
  file << std::string(16, '\xff');
  file.close();
  const auto refused = open_store(options, subject.clock());
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::data_loss);
  CHECK(refused.error().page() == 410);
  CHECK(refused.error().text().find("tables.db") != std::string::npos);
  put_tables();
  CHECK(open_store(options, subject.clock()).ok());
}

TEST_CASE("blob: a file that was damaged or lost is written again by who stores the same bytes") {
  Subject subject(Kind::sqlite);
  const Payload large{"subject-ann", std::string(20'000, 'b')};
  const auto store = [&] {
    return subject.run(subject.store().put_blob(subject.context(), large));
  };
  const auto read = [&](const std::string& name) {
    return subject.run(subject.store().blob(subject.context(), name));
  };
  const std::string name = store().value();
  std::filesystem::path file;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(subject.options().directory + "/blobs")) {
    file = entry.is_regular_file() ? entry.path() : file;
  }
  {
    std::fstream damaged(file, std::ios::in | std::ios::out | std::ios::binary);
    const auto middle = static_cast<std::streamoff>(std::filesystem::file_size(file) / 2);
    damaged.seekg(middle);
    const int byte = damaged.get();
    damaged.seekp(middle);
    REQUIRE(damaged.put(static_cast<char>(byte ^ 1)));
  }
  REQUIRE(!read(name).ok());
  CHECK(store().value() == name);
  CHECK(read(name).value() == large.bytes);
  std::filesystem::remove(file);
  REQUIRE(!read(name).ok());
  CHECK(store().value() == name);
  subject.reopen();
  CHECK(read(name).value() == large.bytes);
}

}  // namespace aios::store::testing

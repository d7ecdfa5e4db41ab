// SPDX-License-Identifier: Apache-2.0
// What keys cost on a real directory: how many are made, how long the keystore's log gets.
#include "store/detail/sqlite_keystore.h"
#include "store/test/subject.h"

#include <fmt/format.h>

#include <filesystem>

using namespace aios;
using namespace aios::store;
using namespace aios::store::testing;

namespace {

std::int64_t keys_made(Subject& subject) {
  auto db = detail::Db::open(subject.options().directory + "/keystore.db", detail::Access::read);
  REQUIRE(db.ok());
  return (*db)->one_integer("SELECT count(*) FROM keys").value();
}

Transition of_new_subject(Subject& subject, const std::string& id, const std::string& who) {
  Transition out = subject.transition();
  out.streams.push_back(write(id, 0, "state", "running", who));
  return out;
}

}  // namespace

TEST_CASE("store: refused transitions of new subjects leave no keys behind") {
  Subject subject(Kind::sqlite);
  Transition first = of_new_subject(subject, "run_a", "ann");
  first.keys.push_back({"event:tickets", "id-1", "digest", "run_a"});
  subject.must_commit(first);
  const std::int64_t before = keys_made(subject);
  for (int i = 0; i < 300; ++i) {
    // The key is taken: seen before anything is sealed, or by the writer when the id exists too.
    Transition again = of_new_subject(subject, fmt::format("run_b{}", i), fmt::format("b {}", i));
    again.keys = {{"event:tickets", "id-1", "digest", "run_b"}};
    CHECK(subject.commit(again).error().page() == 402);
    auto stale = subject.commit(of_new_subject(subject, "run_a", fmt::format("c {}", i)));
    CHECK(stale.error().page() == 400);
  }
  CHECK(keys_made(subject) == before);
}

TEST_CASE("store: of a batch that refuses most, only what was accepted keeps its key") {
  Subject subject(Kind::sqlite);
  for (int round = 0; round < 10; ++round) {
    std::vector<Transition> many;
    for (int i = 0; i < 40; ++i) {  // all of a round want the same id, each for another subject
      many.push_back(of_new_subject(subject, fmt::format("run_{}", round),
                                    fmt::format("person {} {}", round, i)));
    }
    int accepted = 0;
    for (const auto& answer : subject.commit_together(std::move(many))) {
      accepted += answer.ok() ? 1 : 0;
    }
    CHECK(accepted == 1);
  }
  CHECK(keys_made(subject) <= 16 + 32 + 64 + 128);  // not 400: enough for those in flight at once
  subject.reopen();
  for (int round = 0; round < 10; ++round) {
    CHECK(subject.stream(fmt::format("run_{}", round)).state == "state");
  }
}

TEST_CASE("store: the keystore's log is copied now and then, and begun anew") {
  aios::test::Folder scratch;
  const std::string path = scratch.at("keystore.db");
  auto keystore = detail::SqliteKeyStore::open(path);
  REQUIRE(keystore.ok());
  const int refills = 160;
  const int keys = 256;
  for (int i = 0; i < refills; ++i) {
    std::vector<detail::WrappedKey> rows;
    for (int k = 0; k < keys; ++k) {
      rows.push_back({static_cast<std::uint64_t>(i * keys + k + 1), "acme", std::string(60, 'w')});
    }
    REQUIRE((*keystore)->add({}, rows, rows.back().id + 1).ok());
    REQUIRE((*keystore)->key(rows.front().id).value());
  }
  CHECK(std::filesystem::file_size(path + "-wal") < (std::uint64_t{2} << 20));
  CHECK(std::filesystem::file_size(path) > refills * keys * 60);
}

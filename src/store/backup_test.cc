// SPDX-License-Identifier: Apache-2.0
#include "store/restored.h"
#include "store/test/subject.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

using namespace aios;
using namespace aios::store;
using namespace aios::store::testing;

namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void fill(Subject& subject, int from, int to) {
  std::vector<Transition> many;
  for (int i = from; i < to; ++i) {
    Transition out = subject.transition();
    const std::string who = fmt::format("person {}", i % 3);
    out.streams.push_back(
        write(fmt::format("run_{:04}", i), 0, fmt::format("state {}", i), "running", who));
    out.leaves.push_back({fmt::format("leaf {}", i)});
    out.outbox.push_back({"topic", "", {who, "message"}});
    many.push_back(std::move(out));
  }
  for (const auto& answer : subject.commit_together(std::move(many))) {
    REQUIRE(answer.ok());
  }
}

/// Of what stands beside the path and begins as it does.
std::vector<std::string> names_beginning(const std::string& path) {
  std::vector<std::string> names;
  const auto folder = std::filesystem::path(path).parent_path();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().string().starts_with(path)) {
      names.push_back(entry.path().string());
    }
  }
  return names;
}

struct Paths {
  std::string archive;
  std::string keys;
  std::string target;
};

Paths back_up(Subject& subject, const std::string& name) {
  const Paths paths{subject.scratch().at(name + ".bak"), subject.scratch().at(name + ".keys"),
                    subject.scratch().at(name + ".data")};
  auto saved = subject.store().backup(paths.archive);
  if (!saved.ok()) {
    FAIL(saved.error().text());
  }
  REQUIRE(subject.store().export_keys(paths.keys, "a passphrase").ok());
  return paths;
}

void go_on_in(Subject& subject, const std::string& directory) {
  subject.close();
  subject.options().directory = directory;
  subject.open();
}

}  // namespace

TEST_CASE("backup: what was backed up comes back, folded and not yet folded") {
  Subject subject(Kind::sqlite);
  fill(subject, 0, 60);
  const Payload large{"person 1", std::string(300'000, 'b')};
  const auto blob = subject.run(subject.store().put_blob(subject.context(), large)).value();
  subject.reopen();
  fill(subject, 60, 90);
  const std::string before = subject.everything();
  const std::uint64_t epoch = subject.store().epoch();
  const Paths paths = back_up(subject, "one");
  fill(subject, 90, 95);  // not in the backup
  auto restored = restore_store(paths.archive, paths.keys, "a passphrase", paths.target);
  if (!restored.ok()) {
    FAIL(restored.error().text());
  }
  const auto newest = subject.stream("run_0094").updated;
  const auto through = restored_through(paths.target);
  REQUIRE(through.ok());
  REQUIRE(through->has_value());
  CHECK(**through >= subject.stream("run_0089").updated);
  CHECK(**through <= newest + std::chrono::seconds(1));
  CHECK_FALSE(restored_through(subject.scratch().at("nothing")).value().has_value());
  go_on_in(subject, paths.target);
  CHECK(subject.everything() == before);
  CHECK(subject.store().epoch() > epoch);
  CHECK(subject.run(subject.store().blob(subject.context(), blob)).value() == large.bytes);
  fill(subject, 90, 100);
  subject.reopen();
  CHECK(subject.stream("run_0099").state == "state 99");
}

TEST_CASE("backup: who was erased stays erased after a restore") {
  Subject subject(Kind::sqlite);
  fill(subject, 0, 9);
  const Paths early = back_up(subject, "early");
  REQUIRE(subject.run(subject.store().erase_subject(subject.context(), "person 1")).value() == 1);
  const Paths late = back_up(subject, "late");
  // The archive from before the erasure, with the keys from after it.
  REQUIRE(restore_store(early.archive, late.keys, "a passphrase", early.target).ok());
  go_on_in(subject, early.target);
  CHECK(subject.stream("run_0001").erased);
  CHECK(subject.stream("run_0002").state == "state 2");
}

TEST_CASE("backup: data under keys younger than the export reads as erased, never as other data") {
  Subject subject(Kind::sqlite);
  fill(subject, 0, 3);
  const Paths early = back_up(subject, "early");
  std::vector<Transition> many;
  for (int i = 0; i < 40; ++i) {
    many.push_back(subject.transition());
    many.back().streams.push_back(
        write(fmt::format("run_y{}", i), 0, "young", "running", fmt::format("young {}", i)));
  }
  for (const auto& answer : subject.commit_together(std::move(many))) {
    REQUIRE(answer.ok());
  }
  const Paths late = back_up(subject, "late");
  REQUIRE(restore_store(late.archive, early.keys, "a passphrase", late.target).ok());
  go_on_in(subject, late.target);
  CHECK(subject.stream("run_0001").state == "state 1");
  CHECK(subject.stream("run_y39").erased);
  Transition again = subject.transition();
  again.streams.push_back(write("run_z", 0, "again", "running", "young 39"));
  subject.must_commit(again);
  CHECK(subject.stream("run_z").state == "again");
  CHECK(subject.stream("run_y39").erased);
}

TEST_CASE("backup: it is taken while commits and folds go on") {
  Subject subject(Kind::sqlite);
  fill(subject, 0, 200);
  Result<void> saved;
  const std::string archive = subject.scratch().at("busy.bak");
  std::thread backing_up([&] { saved = subject.store().backup(archive); });
  for (int i = 200; i < 1000; i += 100) {
    fill(subject, i, i + 100);
  }
  backing_up.join();
  REQUIRE(saved.ok());
  const std::string keys = subject.scratch().at("busy.keys");
  REQUIRE(subject.store().export_keys(keys, "p").ok());
  REQUIRE(restore_store(archive, keys, "p", subject.scratch().at("busy.data")).ok());
  go_on_in(subject, subject.scratch().at("busy.data"));
  const auto leaves = subject.run(subject.store().leaf_count(subject.context())).value();
  CHECK(leaves >= 200);
  CHECK(subject.run(subject.store().count(subject.context(), runs())).value() == leaves);
  CHECK(subject.store().stats().sequence == leaves);
}

TEST_CASE("backup: the archive holds no key, and says so") {
  Subject subject(Kind::sqlite);
  fill(subject, 0, 5);
  const Paths paths = back_up(subject, "one");
  const std::string archive = bytes_of(paths.archive);
  CHECK(archive.find("The keys that open it are not inside") != std::string::npos);
  CHECK(archive.find(bytes_of(subject.options().directory + "/root.key")) == std::string::npos);
  CHECK(archive.find("keystore") == std::string::npos);
  CHECK(bytes_of(paths.keys).find(bytes_of(subject.options().directory + "/root.key")) ==
        std::string::npos);
  CHECK(!subject.store().export_keys(paths.keys, "").ok());
  CHECK(!subject.store().backup(paths.archive).ok());  // never over a file that is there
}

TEST_CASE("backup: a restore refuses what it cannot trust") {
  Subject subject(Kind::sqlite);
  fill(subject, 0, 30);
  const Paths paths = back_up(subject, "one");
  const auto refusal = [&](const std::string& archive, const std::string& passphrase,
                           const std::string& target) {
    auto refused = restore_store(archive, paths.keys, passphrase, target);
    return refused.ok() ? 0 : refused.error().page();
  };
  CHECK(refusal(paths.archive, "another passphrase", paths.target) == 416);
  CHECK(refusal(paths.keys, "a passphrase", paths.target) == 415);
  CHECK(refusal(paths.archive, "a passphrase", subject.options().directory) == 414);
  const std::string good = bytes_of(paths.archive);
  for (const double part : {0.2, 0.6, 0.999}) {
    const std::string bad = subject.scratch().at("bad.bak");
    std::string bytes =
        good.substr(0, static_cast<std::size_t>(static_cast<double>(good.size()) * part));
    std::ofstream(bad, std::ios::binary | std::ios::trunc) << bytes;
    CHECK(refusal(bad, "a passphrase", paths.target) == 415);
    bytes = good;
    bytes[static_cast<std::size_t>(static_cast<double>(good.size()) * part)] ^= 4;
    std::ofstream(bad, std::ios::binary | std::ios::trunc) << bytes;
    CHECK(refusal(bad, "a passphrase", paths.target) == 415);
  }
  std::ofstream(subject.scratch().at("long.bak"), std::ios::binary) << good << '\0';
  CHECK(refusal(subject.scratch().at("long.bak"), "a passphrase", paths.target) == 415);
  CHECK(names_beginning(paths.target).empty());
  CHECK(refusal(paths.archive, "a passphrase", paths.target) == 0);
  CHECK(names_beginning(paths.target) == std::vector<std::string>{paths.target});
}

TEST_CASE("backup: a restore leaves its target's neighbours as they are") {
  Subject subject(Kind::sqlite);
  fill(subject, 0, 5);
  const Paths paths = back_up(subject, "one");
  const std::string neighbour = paths.target + ".restoring";
  std::filesystem::create_directory(neighbour);
  std::ofstream(neighbour + "/letter") << "mine";
  CHECK(!restore_store(paths.archive, paths.keys, "another passphrase", paths.target).ok());
  REQUIRE(restore_store(paths.archive, paths.keys, "a passphrase", paths.target).ok());
  CHECK(bytes_of(neighbour + "/letter") == "mine");
  CHECK(names_beginning(paths.target).size() == 2);
}

TEST_CASE("backup: a restore fills an empty directory, also one that is named with a slash") {
  Subject subject(Kind::sqlite);
  fill(subject, 0, 5);
  const Paths paths = back_up(subject, "one");
  std::filesystem::create_directory(paths.target);
  REQUIRE(restore_store(paths.archive, paths.keys, "a passphrase", paths.target + "/").ok());
  CHECK(names_beginning(paths.target) == std::vector<std::string>{paths.target});
  go_on_in(subject, paths.target);
  CHECK(subject.stream("run_0004").state == "state 4");
}

TEST_CASE("backup: the memory engine says that it makes none") {
  Subject subject(Kind::memory_inline);
  auto refused = subject.store().backup(subject.scratch().at("x"));
  CHECK(refused.error().code() == Code::unimplemented);
  CHECK(refused.error().page() == 418);
}

TEST_CASE("backup: a closed store makes none") {
  Subject subject(Kind::sqlite);
  REQUIRE(subject.store().close().ok());
  CHECK(subject.store().backup(subject.scratch().at("x")).error().page() == 407);
  CHECK(subject.store().export_keys(subject.scratch().at("x"), "p").error().page() == 407);
}

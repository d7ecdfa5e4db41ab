// SPDX-License-Identifier: Apache-2.0
#include "app/older_store.h"

#include "api/test/house.h"
#include "core/test/folder.h"
#include "store/restored.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace aios::app {
namespace {

/// A directory whose log stays while its store is put back.
struct Room {
  Room() { std::filesystem::create_directory(folder.at("audit")); }
  /// A store as it was when it had so many leaves.
  void put_back(int leaves) {
    house = std::make_unique<api::test::House>();
    for (int i = 0; i < leaves; ++i) {
      add(std::to_string(i));
    }
  }
  void add(std::string leaf) {
    store::Transition transition;
    transition.tenant = default_tenant();
    transition.epoch = house->store->epoch();
    transition.leaves.push_back({std::move(leaf)});
    REQUIRE(house->loop.run(house->store->commit(ctx, std::move(transition))).ok());
  }
  void sign() {
    auto audit = open();
    REQUIRE(house->loop.run(audit->fold(*house->store)).ok());
  }
  /// A start. @return whether the store was doubted
  bool start() {
    house->loop.advance(std::chrono::minutes(1));
    const auto audit = open();
    auto done = house->loop.run(doubt_older_store(
        {house->store.get(), audit.get(), &log, folder.at(""), house->loop.clock().now()}));
    REQUIRE(done.ok());
    const auto noted = store::restored_through(folder.at(""));
    CHECK(noted.value().has_value() == (done->has_value() || doubted > 0));
    doubted += done->has_value() ? 1 : 0;
    return done->has_value();
  }
  std::unique_ptr<govern::AuditLog> open() {
    auto opened = govern::AuditLog::open(folder.at("audit"), folder.at("key"), "test/audit");
    REQUIRE(opened.ok());
    return std::move(*opened);
  }
  std::vector<std::string> leaves() {
    return house->loop.run(house->store->leaves(ctx, 0, 100)).value();
  }

  aios::test::Folder folder;
  std::unique_ptr<api::test::House> house;
  std::vector<std::string> lines;
  observe::Log log{[this](std::string_view line) { lines.emplace_back(line); }};
  Context ctx = api::test::House::system();
  int doubted = 0;
};

TEST_CASE("older store: one that has what was signed is not doubted") {
  Room room;
  room.put_back(5);
  CHECK_FALSE(room.start());
  room.sign();
  room.add("later");
  CHECK_FALSE(room.start());
  CHECK(room.lines.empty());
  CHECK(room.leaves().size() == 6);
}

TEST_CASE("older store: it is doubted once, durably, with a leaf and a line") {
  Room room;
  room.put_back(9);
  room.sign();
  room.put_back(4);
  CHECK(room.start());
  REQUIRE(room.lines.size() == 1);
  CHECK(room.lines[0].find("has 4 leaves, the log has signed 9") != std::string::npos);
  CHECK(room.lines[0].find("AIOS-0524") != std::string::npos);
  CHECK(room.leaves().back().find(R"("outcome":"older_store")") != std::string::npos);
  const auto first = store::restored_through(room.folder.at("")).value();
  room.add("it goes on");
  CHECK_FALSE(room.start());
  CHECK_FALSE(room.start());
  CHECK(store::restored_through(room.folder.at("")).value() == first);
  CHECK(room.lines.size() == 1);
  CHECK(room.leaves().size() == 6);
}

TEST_CASE(
    "older store: another copy is doubted again, older or newer, and one from before a start") {
  Room room;
  room.put_back(9);
  room.sign();
  room.put_back(4);
  CHECK(room.start());
  room.put_back(2);
  CHECK(room.start());
  room.put_back(7);
  CHECK(room.start());
  room.put_back(7);
  CHECK(room.start());
  std::filesystem::remove(room.folder.at("audit/doubted"));
  CHECK(room.start());
  CHECK(room.lines.size() == 5);
}

TEST_CASE("older store: what cannot be noted is not taken for noted") {
  Room room;
  room.put_back(9);
  room.sign();
  room.put_back(4);
  std::filesystem::create_directory(room.folder.at("audit/doubted.tmp"));
  const auto audit = room.open();
  auto failed =
      room.house->loop.run(doubt_older_store({room.house->store.get(), audit.get(), &room.log,
                                              room.folder.at(""), room.house->loop.clock().now()}));
  CHECK_FALSE(failed.ok());
  std::filesystem::remove(room.folder.at("audit/doubted.tmp"));
  room.doubted = 1;
  CHECK(room.start());
}

}  // namespace
}  // namespace aios::app

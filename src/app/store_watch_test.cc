// SPDX-License-Identifier: Apache-2.0
#include "app/store_watch.h"

#include "runtime/shards.h"
#include "store/memory.h"
#include "store/test/subject.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

namespace aios::app {
namespace {

struct Room {
  Room() {
    auto opened = store::open_memory_store({}, disk, store::MemoryThreads::inline_, clock);
    REQUIRE(opened.ok());
    store = std::move(*opened);
  }
  Result<store::Committed> commit() {
    store::Transition transition;
    transition.tenant = default_tenant();
    transition.epoch = store->epoch();
    transition.leaves.push_back({"leaf"});
    return shards.run(0, store->commit(system_context(default_tenant(), "test"), transition));
  }
  /// What /metrics says; -1 when it does not know the name.
  double sample(const std::string& name) const {
    const std::string text = "\n" + metrics.prometheus();
    const std::size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }

  store::testing::FakeClock clock;
  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  runtime::Shards shards{1};
  std::unique_ptr<store::Store> store;
  std::vector<std::string> lines;
  observe::Log log{[this](std::string_view line) { lines.emplace_back(line); }};
  observe::Metrics metrics;
};

TEST_CASE("store watch: an audit log that cannot be folded is told of once for each reason") {
  Room room;
  StoreWatch watch(*room.store, room.log, room.metrics);
  const Result<std::uint64_t> full = Error(Code::resource_exhausted, "the disk is full").page(525);
  for (int second = 0; second < 20; ++second) {
    watch.saw(full);
  }
  REQUIRE(room.lines.size() == 1);
  CHECK(room.lines[0].find("AIOS-0525") != std::string::npos);
  watch.saw(Error(Code::permission_denied, "not ours any more").page(525));
  REQUIRE(room.lines.size() == 2);
  watch.saw(std::uint64_t{3});
  watch.saw(std::uint64_t{3});
  REQUIRE(room.lines.size() == 3);
  CHECK(room.lines[2].find("again") != std::string::npos);
  watch.saw(full);
  CHECK(room.lines.size() == 4);
}

TEST_CASE("store watch: one line when the store becomes read-only and one when it ends") {
  Room room;
  StoreWatch watch(*room.store, room.log, room.metrics);
  REQUIRE(room.commit().ok());
  watch.look();
  CHECK(room.lines.empty());
  CHECK(room.sample("aios_store_read_only") == 0);

  room.disk->set_full(true);
  CHECK(!room.commit().ok());
  watch.look();
  watch.look();
  REQUIRE(room.lines.size() == 1);
  CHECK(room.lines[0].find("\"error\"") != std::string::npos);
  CHECK(room.lines[0].find("AIOS-0405") != std::string::npos);
  CHECK(room.sample("aios_store_read_only") == 1);

  room.disk->set_full(false);
  room.clock.advance(std::chrono::seconds(1));
  REQUIRE(room.commit().ok());
  watch.look();
  watch.look();
  REQUIRE(room.lines.size() == 2);
  CHECK(room.lines[1].find("takes writes") != std::string::npos);
  CHECK(room.sample("aios_store_read_only") == 0);
}

TEST_CASE("store watch: one line when the tables take up nothing and one when they do again") {
  Room room;
  StoreWatch watch(*room.store, room.log, room.metrics);
  room.disk->set_tables_full(true);
  for (int i = 0; i < 40; ++i) {  // the journal has room
    REQUIRE(room.commit().ok());
  }
  watch.look();
  watch.look();
  REQUIRE(room.lines.size() == 1);
  CHECK(room.lines[0].find("\"error\"") != std::string::npos);
  CHECK(room.lines[0].find("AIOS-0405") != std::string::npos);
  CHECK(room.sample("aios_store_fold_failing") == 1);

  room.disk->set_tables_full(false);
  REQUIRE(room.commit().ok());
  watch.look();
  watch.look();
  REQUIRE(room.lines.size() == 2);
  CHECK(room.lines[1].find("again") != std::string::npos);
  CHECK(room.sample("aios_store_fold_failing") == 0);
}

TEST_CASE("store watch: the delta and its bound are gauges") {
  Room room;
  StoreWatch watch(*room.store, room.log, room.metrics);
  CHECK(room.sample("aios_store_delta_bytes") == 0);
  REQUIRE(room.commit().ok());
  CHECK(room.sample("aios_store_delta_bytes") > 0);
  CHECK(room.sample("aios_store_delta_max_bytes") == 268435456);
}

TEST_CASE("store watch: damaged tables are one line, a gauge, and refused writes") {
  Room room;
  StoreWatch watch(*room.store, room.log, room.metrics);
  REQUIRE(room.commit().ok());
  room.disk->set_tables_damaged(true);
  bool refused = false;
  for (int i = 0; i < 100 && !refused; ++i) {
    refused = !room.commit().ok();
  }
  CHECK(refused);
  const auto answer = room.commit();
  REQUIRE(!answer.ok());
  CHECK(answer.error().page() == 410);
  CHECK(answer.error().code() == Code::resource_exhausted);  // 503: not the sender's mistake
  watch.look();
  watch.look();
  CHECK(watch.damaged());
  CHECK(room.sample("aios_store_damaged") == 1);
  REQUIRE(room.lines.size() == 1);
  CHECK(room.lines[0].find("AIOS-0410") != std::string::npos);
  watch.saw(std::uint64_t{3});  // that something can be read is not enough
  CHECK(watch.damaged());
}

TEST_CASE("store watch: what cannot be read damages, a full disk or a busy store does not") {
  Room room;
  StoreWatch watch(*room.store, room.log, room.metrics);
  watch.saw(Error(Code::unavailable, "busy", Retry::same_call));
  CHECK(!watch.damaged());
  watch.saw(Error(Code::data_loss, "page 7 is damaged").page(410));
  CHECK(watch.damaged());
  watch.saw(Error(Code::unavailable, "busy", Retry::same_call));
  CHECK(watch.damaged());
  CHECK(room.sample("aios_store_damaged") == 1);
  watch.saw(std::uint64_t{3});
  CHECK(!watch.damaged());
}

TEST_CASE("store watch: a reason is told once while its numbers go on, and again for another log") {
  Room room;
  StoreWatch watch(*room.store, room.log, room.metrics);
  const auto fewer = [](int leaves, const std::string& tenant) {
    return Error(Code::data_loss,
                 fmt::format("the store has {} leaves, the log has signed 99", leaves))
        .page(524)
        .with(fmt::format("folding the audit log of '{}'", tenant));
  };
  for (int leaves = 3; leaves < 23; ++leaves) {
    watch.saw(fewer(leaves, "shop1"));
  }
  REQUIRE(room.lines.size() == 1);
  CHECK(room.lines[0].find("has 3 leaves") != std::string::npos);
  CHECK(watch.not_signing().find("has 22 leaves") != std::string::npos);
  watch.saw(fewer(23, "shop2"));
  CHECK(room.lines.size() == 2);
  watch.saw(Error(Code::data_loss, "the store has 23 leaves").page(532));
  CHECK(room.lines.size() == 3);
}

TEST_CASE("store watch: a store that another log goes with is damaged, its tables are not") {
  Room room;
  StoreWatch watch(*room.store, room.log, room.metrics);
  watch.saw(Error(Code::data_loss, "the store has 3 leaves, the log has signed 9").page(524));
  CHECK(watch.damaged());
  CHECK_FALSE(watch.tables_damaged());
  CHECK(watch.not_signing().find("AIOS-0524") != std::string::npos);
  watch.saw(Error(Code::data_loss, "page 7 is damaged").page(410));
  CHECK(watch.tables_damaged());
  watch.saw(std::uint64_t{3});
  CHECK(watch.not_signing().empty());
}

TEST_CASE("store watch: damage that a single read meets is one line, and stays") {
  Room room;
  StoreWatch watch(*room.store, room.log, room.metrics);
  watch.met(Error(Code::not_found, "no run").page(1012));
  watch.met(Error(Code::data_loss, "the run was erased with its data subject").page(1017));
  CHECK(!watch.damaged());
  CHECK(room.lines.empty());
  watch.met(Error(Code::data_loss, "bytes that are not sealed bytes").page(410));
  CHECK(watch.damaged());
  CHECK(room.sample("aios_store_damaged") == 1);
  watch.met(Error(Code::data_loss, "bytes that are not sealed bytes").page(410));
  watch.saw(std::uint64_t{3});  // another part of the tables can be read
  watch.look();
  CHECK(watch.damaged());
  REQUIRE(room.lines.size() == 1);
  CHECK(room.lines[0].find("AIOS-0410") != std::string::npos);
}

TEST_CASE("store watch: an audit log that is written again has a line and is counted") {
  Room room;
  StoreWatch watch(*room.store, room.log, room.metrics);
  CHECK(room.sample("aios_audit_rebuilt_total") == 0);
  watch.rebuilt(Error(Code::data_loss, "of 9 leaves the folder holds 0").page(529));
  REQUIRE(room.lines.size() == 1);
  CHECK(room.lines[0].find("\"error\"") != std::string::npos);
  CHECK(room.lines[0].find("AIOS-0529") != std::string::npos);
  CHECK(room.sample("aios_audit_rebuilt_total") == 1);
  CHECK_FALSE(watch.damaged());
}

}  // namespace
}  // namespace aios::app

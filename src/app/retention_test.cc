// SPDX-License-Identifier: Apache-2.0
#include "app/retention.h"

#include "runtime/sim.h"
#include "runtime/sim_wall.h"
#include "store/memory.h"

#include <doctest/doctest.h>

#include <unistd.h>
#include <filesystem>
#include <memory>
#include <set>

namespace aios::app {
namespace {

constexpr auto day = std::chrono::hours(24);

struct World {
  runtime::SimExecutor loop;
  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  std::unique_ptr<store::Store> store;
  observe::Metrics metrics;
  std::vector<std::string> lines;
  observe::Log log{[this](std::string_view line) { lines.emplace_back(line); }};

  World() { reopen(); }
  void reopen() {  // all is in the tables then
    store.reset();
    store::StoreOptions options;
    options.engine = "memory";
    store = store::open_memory_store(options, disk, store::MemoryThreads::inline_, loop.clock())
                .value();
  }
  static Context ctx() { return system_context(default_tenant(), "test"); }
  void close(store::StreamKind kind, std::string_view prefix) {
    store::StreamWrite write;
    write.kind = kind;
    write.id = runtime::new_id(prefix, loop.clock(), loop.random());
    write.status = "completed";
    write.end = store::StreamEnd::closed;
    store::Transition transition;
    transition.tenant = default_tenant();
    transition.epoch = store->epoch();
    transition.streams.push_back(std::move(write));
    transition.leaves.push_back({"leaf"});
    REQUIRE(loop.run(store->commit(ctx(), std::move(transition))).ok());
  }
  std::uint64_t count(store::StreamKind kind) {
    store::ListQuery query;
    query.kind = kind;
    return loop.run(store->count(ctx(), query)).value();
  }
};

}  // namespace

TEST_CASE("retention: each class has its own age, and audit leaves stay") {
  World world;
  for (const KeptClass& one : kept_classes) {
    world.close(one.kind, one.prefix);
  }
  world.loop.advance(20 * day);
  world.close(store::StreamKind::run, "run");
  world.reopen();
  Retention retention(*world.store, world.metrics, world.log,
                      {{kept_classes[0], 10 * day}, {kept_classes[1], 30 * day}});
  world.loop.run(retention.look(World::ctx(), world.loop.clock()));
  CHECK(world.count(store::StreamKind::run) == 1);
  CHECK(world.count(store::StreamKind::event) == 1);
  CHECK(world.count(store::StreamKind::review) == 1);
  CHECK(world.loop.run(world.store->leaf_count(World::ctx())).value() == 6);
  REQUIRE(world.lines.size() == 1);
  CHECK(world.lines[0].find("old runs are gone") != std::string::npos);
  CHECK(world.metrics.prometheus().find("aios_expired_total{class=\"runs\"} 1") !=
        std::string::npos);
}

TEST_CASE("retention: every kind of stream goes by some age, with another, or stays on purpose") {
  std::set<store::StreamKind> seen;
  for (const KeptClass& one : kept_classes) {
    seen.insert(one.kind);
  }
  for (const KeptBeside& one : kept_beside) {
    seen.insert(one.kind);
  }
  seen.insert(kept_within.begin(), kept_within.end());
  seen.insert(kept_for_good.begin(), kept_for_good.end());
  for (int number = 1; number < 256; ++number) {
    const auto kind = static_cast<store::StreamKind>(number);
    CAPTURE(number);
    CHECK((store::name_of(kind) == "unknown" || seen.contains(kind)));
  }
}

TEST_CASE("retention: places of files that are done go with the events, those under way stay") {
  World world;
  const auto write = [&](const char* id, store::StreamEnd end) {
    store::Transition transition;
    transition.tenant = default_tenant();
    transition.epoch = world.store->epoch();
    store::StreamWrite one;
    one.kind = store::StreamKind::source_place;
    one.id = id;
    one.end = end;
    transition.streams.push_back(std::move(one));
    transition.leaves.push_back({"leaf"});
    REQUIRE(world.loop.run(world.store->commit(World::ctx(), std::move(transition))).ok());
  };
  write("file/letters/0a", store::StreamEnd::closed);
  write("file/letters/0b", store::StreamEnd::open);
  write("schedule/daily", store::StreamEnd::open);
  world.loop.advance(20 * day);
  write("file/letters/0c", store::StreamEnd::closed);
  world.reopen();
  Retention retention(*world.store, world.metrics, world.log, {{kept_classes[1], 10 * day}});
  world.loop.run(retention.look(World::ctx(), world.loop.clock()));
  CHECK(world.count(store::StreamKind::source_place) == 3);
  CHECK(world.loop
            .run(world.store->stream(World::ctx(), store::StreamKind::source_place,
                                     "file/letters/0a"))
            .error()
            .code() == Code::not_found);
}

TEST_CASE("retention: it looks once an hour") {
  World world;
  world.close(store::StreamKind::run, "run");
  world.reopen();
  Retention retention(*world.store, world.metrics, world.log, {{kept_classes[0], 10 * day}});
  world.loop.run(retention.look(World::ctx(), world.loop.clock()));
  CHECK(world.count(store::StreamKind::run) == 1);
  world.loop.advance(11 * day);
  world.loop.run(retention.look(World::ctx(), world.loop.clock()));
  CHECK(world.count(store::StreamKind::run) == 0);
  world.close(store::StreamKind::run, "run");
  world.loop.run(retention.look(World::ctx(), world.loop.clock()));
  CHECK(world.lines.size() == 1);
}

TEST_CASE("retention: a clock that is ahead takes nothing away, under way or at a start") {
  World world;
  const std::string file =
      (std::filesystem::temp_directory_path() / ("seen-" + std::to_string(::getpid()))).string();
  std::filesystem::remove(file);
  const auto look = [&](Retention& retention) {
    world.loop.run(retention.look(World::ctx(), world.loop.clock()));
    return world.count(store::StreamKind::run);
  };
  const std::vector<Keep> keep = {{kept_classes[0], 30 * day}};
  world.close(store::StreamKind::run, "run");
  world.reopen();
  {
    Retention retention(*world.store, world.metrics, world.log, keep, file);
    CHECK(look(retention) == 1);
    runtime::set_sim_wall(world.loop.clock(), 400 * day);
    world.loop.advance(std::chrono::hours(2));
    CHECK(look(retention) == 1);
    REQUIRE(world.lines.size() == 1);
    CHECK(world.lines[0].find("the clock is ahead") != std::string::npos);
  }
  for (int start = 0; start < 20; ++start) {  // each with the wrong clock
    Retention retention(*world.store, world.metrics, world.log, keep, file);
    CHECK(look(retention) == 1);
  }
  runtime::set_sim_wall(world.loop.clock(), Duration(0));
  Retention retention(*world.store, world.metrics, world.log, keep, file);
  CHECK(look(retention) == 1);
  world.loop.advance(29 * day);
  CHECK(look(retention) == 1);
  world.loop.advance(2 * day);
  CHECK(look(retention) == 0);
  std::filesystem::remove(file);
}

TEST_CASE("retention: a server that was down makes up for it") {
  const std::string file =
      (std::filesystem::temp_directory_path() / ("seen-b-" + std::to_string(::getpid()))).string();
  const Time begin{1'800'000'000 * std::int64_t{1'000'000'000}};
  SeenTime before(file);
  CHECK(before.pass(begin, Instant{0}) == begin);
  REQUIRE(before.keep().ok());
  SeenTime after(file);
  const auto passed = [&](Duration down, Duration up) {
    return after.pass(begin + down + up, Instant{0} + up) - begin;
  };
  CHECK(passed(70 * day, Duration(0)) == Duration(0));
  CHECK(passed(70 * day, 1 * day) == 8 * day);
  CHECK(passed(70 * day, 9 * day) == 72 * day);
  CHECK(passed(70 * day, 10 * day) == 80 * day);
  const Time unset{86'400'000'000'000};
  CHECK(after.pass(unset, Instant{0} + 10 * day) == unset);  // a battery that is empty
  CHECK(passed(70 * day, 10 * day) == 80 * day);
  SeenTime first("");
  CHECK(first.pass(unset, Instant{0}) == unset);
  CHECK(first.pass(begin, Instant{0}) == begin);
  std::filesystem::remove(file);
}

TEST_CASE("retention: an age is eight days or more") {
  CHECK_FALSE(refuse_retention("P8D"));
  CHECK_FALSE(refuse_retention("P90D"));
  for (const char* wrong : {"P7D", "90", "P1Y", "", "-P9D"}) {
    CHECK(refuse_retention(wrong));
  }
}

}  // namespace aios::app

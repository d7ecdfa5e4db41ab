// SPDX-License-Identifier: Apache-2.0
#include "app/retention.h"

#include "runtime/sim.h"
#include "store/memory.h"

#include <doctest/doctest.h>

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

TEST_CASE("retention: an age is eight days or more") {
  CHECK_FALSE(refuse_retention("P8D"));
  CHECK_FALSE(refuse_retention("P90D"));
  for (const char* wrong : {"P7D", "90", "P1Y", "", "-P9D"}) {
    CHECK(refuse_retention(wrong));
  }
}

}  // namespace aios::app

// SPDX-License-Identifier: Apache-2.0
// A tenant that is held stands still, and no other with it.
#include "runtime/task_group.h"
#include "workflow/detail/timer_queue.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <set>

namespace aios::workflow {
namespace {

using test::World;

constexpr const char* resting = R"(
document: {dsl: '1.0.3', namespace: test, name: rest, version: '1.0.0'}
do:
  - rest: {wait: PT10M}
)";

TenantId acme() { return TenantId::parse("acme").value(); }

std::string status_of(World& world, const TenantId& tenant, const std::string& run) {
  const auto view = world.executor.run(world.engine->get(system_context(tenant, "test"), run));
  REQUIRE(view.ok());
  return view->status;
}

std::string start_ordered(World& world, const std::string& key) {
  StartRequest request;
  request.workflow = "rest";
  request.input = JsonObject();
  request.order_key = key;
  auto started = world.executor.run(world.engine->start(world.ctx(), std::move(request)));
  REQUIRE(started.ok());
  return *started;
}

/// A queue over runs that are only rows; who is woken is due no more.
struct Queue {
  explicit Queue(std::set<TenantId> held_back) : held(std::move(held_back)) { world.start(); }
  ~Queue() {
    world.executor.run(queue->stop());
    world.executor.run(group.join());
  }
  void add(const TenantId& tenant, int count, Duration in) {
    for (int i = 0; i < count; ++i) {
      put(tenant, fmt::format("run_{}_{:04}", tenant.text(), i), 0,
          world.executor.clock().now() + in);
    }
  }
  void put(const TenantId& tenant, const std::string& id, std::uint64_t version,
           std::optional<Time> at) {
    REQUIRE(world.executor.run(commit(world.store.get(), tenant, id, version, at)).ok());
  }
  static Task<Result<void>> commit(store::Store* store, TenantId tenant, std::string id,
                                   std::uint64_t version, std::optional<Time> at) {
    store::Transition transition;
    transition.tenant = tenant;
    transition.epoch = store->epoch();
    store::StreamWrite write;
    write.id = id;
    write.expected_version = version;
    write.state = store::Payload{"", "?"};
    write.status = "waiting";
    write.wake_at = at;
    transition.streams.push_back(std::move(write));
    auto done = co_await store->commit(system_context(tenant, "test"), std::move(transition));
    co_return done.ok() ? Result<void>() : Result<void>(std::move(done).error());
  }
  static Task<void> done_with(store::Store* store, TenantId tenant, std::string id,
                              Places::Place place) {
    std::optional<Time> never;
    auto committed = co_await commit(store, std::move(tenant), std::move(id), 1, never);
    static_cast<void>(committed);
    place.give_back();
  }
  void start(std::uint32_t capacity) {
    queue = std::make_shared<TimerQueue>(
        *world.store, world.executor, Places(PlacesOptions{}),
        [this](const TenantId& tenant, const TimerQueue::Sleeper& sleeper, Time,
               Places::Place place) {
          woken[tenant].insert(sleeper.id);
          group.spawn(done_with(world.store.get(), tenant, sleeper.id, std::move(place)));
        },
        TimerQueue::Options{.capacity = capacity, .held = [this](const TenantId& tenant) {
                              return held.contains(tenant);
                            }});
    REQUIRE(world.executor.run(queue->start()).ok());
  }

  World world;
  std::set<TenantId> held;
  std::map<TenantId, std::set<std::string>> woken;
  runtime::TaskGroup group{world.executor};
  std::shared_ptr<TimerQueue> queue;
};

}  // namespace

TEST_CASE("held: runs of a held tenant stay as they are, those of others go on") {
  World world;
  std::set<TenantId> held;
  world.services.held = [&held](const TenantId& tenant) {
    return held.contains(tenant)
               ? std::optional(Error(Code::unavailable, "no bundle", Retry::same_call).page(1116))
               : std::nullopt;
  };
  world.add_document(resting);
  world.start();
  REQUIRE(world.engine->install(acme(), {{"rest.yaml", resting}}).empty());
  const auto own = world.run_workflow("rest", JsonObject());
  const auto first = start_ordered(world, "ann");
  const auto second = start_ordered(world, "ann");
  const auto other = world.run_workflow_of(acme(), "rest", JsonObject());
  world.crash();
  held.insert(default_tenant());
  world.start();
  world.executor.advance(std::chrono::minutes(30));
  CHECK(status_of(world, acme(), other) == "completed");
  CHECK(world.view(own).status == "waiting");
  StartRequest request;
  request.workflow = "rest";
  const auto refused = world.executor.run(world.engine->start(world.ctx(), std::move(request)));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 1116);
  CHECK(world.executor.run(world.engine->cancel(world.ctx(), own, "")).error().page() == 1116);
  held.clear();
  world.executor.advance(std::chrono::seconds(2));
  CHECK(world.view(own).status == "completed");
  CHECK(world.view(first).status == "completed");
  world.executor.advance(std::chrono::minutes(11));
  CHECK(world.view(second).status == "completed");
}

TEST_CASE("held: what a held tenant is due fills no other's place in memory") {
  const TenantId crowd = TenantId::parse("crowd").value();
  Queue world({crowd});
  world.add(crowd, 100, -std::chrono::hours(1));
  world.add(acme(), 2, std::chrono::seconds(10));
  world.start(8);
  world.world.executor.advance(std::chrono::seconds(11));
  CHECK(world.woken[acme()].size() == 2);
  CHECK(world.woken[crowd].empty());
  world.held.clear();
  world.world.executor.advance(std::chrono::minutes(1));
  CHECK(world.woken[crowd].size() == 100);
}

}  // namespace aios::workflow

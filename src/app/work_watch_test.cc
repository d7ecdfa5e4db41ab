// SPDX-License-Identifier: Apache-2.0
#include "app/work_watch.h"

#include "api/test/house.h"
#include "core/test/folder.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace aios::app {
namespace {

struct Room {
  Room() {
    auto opened = govern::AuditLog::open(folder.at("audit"), folder.at("key"), "test/audit");
    REQUIRE(opened.ok());
    audit = std::move(*opened);
    watch = std::make_unique<WorkWatch>(*house.store, *house.reviews, *audit, house.loop.clock(),
                                        metrics);
  }
  void commit(store::StreamWrite write, store::AuditLeaf leaf) {
    store::Transition transition;
    transition.tenant = default_tenant();
    transition.epoch = house.store->epoch();
    transition.streams.push_back(std::move(write));
    transition.leaves.push_back(std::move(leaf));
    const auto written = transition.streams;
    REQUIRE(house.loop.run(house.store->commit(ctx, std::move(transition))).ok());
    house.reviews->saved(default_tenant(), written);
  }
  void make(store::StreamKind kind, const std::string& id, const std::string& status) {
    store::StreamWrite write;
    write.kind = kind;
    write.id = id;
    write.status = status;
    write.state = store::Payload{"", "{}"};
    commit(std::move(write), {"leaf"});
  }
  void ask(Duration due) {
    review::ReviewRequest request;
    request.title = "Which?";
    request.form = "form";
    request.form_schema = JsonObject{{"type", "object"}};
    request.assignees = {"reviewer"};
    request.due = due;
    request.run_id = "run_1";
    request.step = "/do/0/ask";
    auto opened = house.loop.run(house.reviews->open(ctx, request, {}));
    REQUIRE(opened.ok());
    commit(std::move(opened->write), std::move(opened->leaf));
  }
  /// What /metrics says after a look, a second after the one before; -1 when it does not know the
  /// name.
  double sample(const std::string& name) {
    house.loop.advance(std::chrono::seconds(1));
    return sample_now(name);
  }
  double sample_now(const std::string& name) {
    house.loop.run(watch->look(ctx));
    const std::string text = "\n" + metrics.prometheus();
    const std::size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }

  aios::test::Folder folder;
  observe::Metrics metrics;
  api::test::House house;
  std::unique_ptr<govern::AuditLog> audit;
  std::unique_ptr<WorkWatch> watch;
  Context ctx = api::test::House::system();
};

TEST_CASE("work watch: runs that wait, incidents and reviews that are open are counted") {
  Room room;
  for (const char* name : {"aios_runs_waiting", "aios_incidents_open", "aios_reviews_open"}) {
    CHECK(room.sample(name) == 0);
  }
  room.make(store::StreamKind::run, "run_1", "waiting");
  room.make(store::StreamKind::run, "run_2", "waiting");
  room.make(store::StreamKind::run, "run_3", "faulted");
  room.make(store::StreamKind::incident, "inc_1", "open");
  room.make(store::StreamKind::incident, "inc_2", "happened");
  room.ask(std::chrono::hours(1));
  CHECK(room.sample("aios_runs_waiting") == 2);
  CHECK(room.sample("aios_incidents_open") == 1);
  CHECK(room.sample("aios_reviews_open") == 1);
}

TEST_CASE("work watch: however often somebody asks, it looks once a second") {
  Room room;
  CHECK(room.sample("aios_runs_waiting") == 0);
  room.make(store::StreamKind::run, "run_1", "waiting");
  CHECK(room.sample_now("aios_runs_waiting") == 0);
  CHECK(room.sample("aios_runs_waiting") == 1);
}

TEST_CASE("work watch: reviews are overdue once their time has passed") {
  Room room;
  room.ask(std::chrono::hours(1));
  room.ask(std::chrono::hours(3));
  CHECK(room.sample("aios_reviews_overdue") == 0);
  room.house.loop.advance(std::chrono::hours(2));
  CHECK(room.sample("aios_reviews_overdue") == 1);
  room.house.loop.advance(std::chrono::hours(2));
  CHECK(room.sample("aios_reviews_overdue") == 2);
}

TEST_CASE("work watch: leaves are counted until a checkpoint covers them") {
  Room room;
  room.make(store::StreamKind::run, "run_1", "waiting");
  room.make(store::StreamKind::run, "run_2", "waiting");
  CHECK(room.sample("aios_audit_leaves_unsigned") == 2);
  REQUIRE(room.house.loop.run(room.audit->fold(*room.house.store)).ok());
  CHECK(room.sample("aios_audit_leaves_unsigned") == 0);
}

}  // namespace
}  // namespace aios::app

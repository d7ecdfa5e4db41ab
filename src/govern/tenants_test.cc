// SPDX-License-Identifier: Apache-2.0
#include "govern/tenants.h"

#include "govern/identity.h"
#include "runtime/sim.h"
#include "store/test/memory.h"

#include <doctest/doctest.h>

namespace aios::govern {
namespace {

struct Fixture {
  runtime::SimExecutor loop;
  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  std::unique_ptr<store::Store> store;
  Guard guard;
  std::unique_ptr<Tenants> tenants;

  Fixture() { reopen(); }
  void reopen() {
    tenants.reset();
    store.reset();
    store = store::test::open_memory(disk, loop.clock());
    tenants = std::make_unique<Tenants>(*store, guard, loop.clock());
    REQUIRE(loop.run(tenants->load(first(), "eu")).ok());
  }
  Result<void> start(std::string region, RegionChange change = RegionChange::refuse) {
    reopen();
    return loop.run(tenants->hold_region(first(), {std::move(region), change}));
  }
  std::string region() { return tenants->list(first())->front().region; }
  std::vector<std::string> leaves() { return *loop.run(store->leaves(first(), 0, 100)); }
  static Context first() { return system_context(default_tenant(), "test"); }
  Result<TenantInfo> create(std::string name, std::string region) {
    return loop.run(tenants->create(first(), std::move(name), std::move(region)));
  }
};

}  // namespace

TEST_CASE("tenants: one that was made is there after a restart, with its region and a leaf") {
  Fixture f;
  REQUIRE(f.create("acme", "us").ok());
  for (int round = 0; round < 2; ++round) {
    const auto all = f.tenants->list(Fixture::first());
    REQUIRE(all.ok());
    REQUIRE(all->size() == 2);
    CHECK(all->at(0).id.text() == "acme");
    CHECK(all->at(0).region == "us");
    CHECK(all->at(1).id == default_tenant());
    CHECK(all->at(1).region == "eu");
    f.reopen();
  }
  CHECK(*f.loop.run(f.store->leaf_count(Fixture::first())) == 1);
}

TEST_CASE("tenants: made twice with one region it is the same; with another it is refused") {
  Fixture f;
  const auto made = f.create("acme", "us");
  REQUIRE(made.ok());
  f.loop.advance(std::chrono::hours(1));
  const auto again = f.create("acme", "us");
  REQUIRE(again.ok());
  CHECK(again->created == made->created);
  CHECK(*f.loop.run(f.store->leaf_count(Fixture::first())) == 1);
  const auto other = f.create("acme", "eu");
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().code() == Code::already_exists);
  CHECK(other.error().page() == 519);
  CHECK_FALSE(f.create("default", "us").ok());
}

TEST_CASE("tenants: the first one's region is recorded by the first start, with a leaf") {
  for (const std::string said : {"us", ""}) {
    CAPTURE(said);
    Fixture f;
    const std::string recorded = said.empty() ? std::string(Tenants::region_default) : said;
    REQUIRE(f.start(said).ok());
    REQUIRE(f.leaves().size() == 1);
    CHECK(f.leaves()[0].find("\"outcome\":\"created\"") != std::string::npos);
    CHECK(f.leaves()[0].find("\"region\":\"" + recorded) != std::string::npos);
    for (const std::string& again : {std::string(), recorded}) {
      REQUIRE(f.start(again).ok());
      CHECK(f.region() == recorded);
      CHECK(f.leaves().size() == 1);
    }
  }
}

TEST_CASE("tenants: another region of the first one is refused, or taken with a leaf") {
  Fixture f;
  REQUIRE(f.start("us").ok());
  const auto refused = f.start("eu");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code() == Code::failed_precondition);
  CHECK(refused.error().page() == 537);
  CHECK(refused.error().message().find("--change-region") != std::string::npos);
  CHECK(f.region() == "us");
  CHECK(f.leaves().size() == 1);
  CHECK(f.start("no region", RegionChange::take).error().page() == 519);
  REQUIRE(f.start("eu", RegionChange::take).ok());
  CHECK(f.region() == "eu");
  REQUIRE(f.start("").ok());
  CHECK(f.region() == "eu");
  REQUIRE(f.start("eu", RegionChange::take).ok());
  REQUIRE(f.leaves().size() == 2);
  CHECK(f.leaves()[1].find("region_changed") != std::string::npos);
  CHECK(f.leaves()[1].find("\"before\":\"us\"") != std::string::npos);
  CHECK(f.start("us").error().page() == 537);
}

TEST_CASE("tenants: a bad name or region is refused, and makes nothing") {
  Fixture f;
  CHECK(f.create("Acme", "us").error().page() == 10);
  CHECK(f.create("acme", "").error().page() == 519);
  CHECK(f.create("acme", "US east").error().page() == 519);
  CHECK(f.tenants->list(Fixture::first())->size() == 1);
}

TEST_CASE("tenants: what is about the installation is for the first one alone") {
  Fixture f;
  REQUIRE(f.create("acme", "us").ok());
  Context other = system_context(TenantId::parse("acme").value(), "test");
  other.principal = std::make_shared<Principal>(Principal{"key_1", "key", {"admin"}});
  CHECK(f.tenants->list(other).error().page() == 518);
  const auto made = f.loop.run(f.tenants->create(other, "third", "us"));
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().code() == Code::permission_denied);
  CHECK(made.error().page() == 518);
  for (const Action action : {Action::operate, Action::read_metrics, Action::manage_tenants}) {
    CHECK(Identity::allow(other, action).error().page() == 518);
  }
  CHECK(Identity::allow(other, Action::settle_runs).ok());
  other.tenant = default_tenant();
  CHECK(Identity::allow(other, Action::operate).ok());
}

}  // namespace aios::govern

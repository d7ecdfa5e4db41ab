// SPDX-License-Identifier: Apache-2.0
#include "bundle/deployments.h"

#include "bundle/test/meanwhile.h"
#include "connectors/test/bench.h"
#include "data/knowledge.h"
#include "store/memory.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

namespace aios::bundle {
namespace {

constexpr std::string_view flow = R"(document:
  {dsl: 1.0.3, namespace: t, name: NAME, version: 1.0.0}
schedule: {on: {one: {with: {type: NAME}}}}
do:
  - a: {set: {x: 1}}
)";

std::string workflow(std::string_view name) {
  std::string text(flow);
  for (std::size_t at = text.find("NAME"); at != std::string::npos; at = text.find("NAME")) {
    text.replace(at, 4, name);
  }
  return text;
}

Files files(std::string_view version, std::string_view workflow_name) {
  return {{"aios.yaml", "name: app\nversion: " + std::string(version) + ".0.0\n"},
          {"workflows/a.yaml", workflow(workflow_name)},
          {"policies/e.rego", "package aios.event_admit\nimport rego.v1\ndefault allow := true\n"}};
}

/// Every room on a store whose disk can be made to fail.
struct Rooms {
  explicit Rooms(const workflow::FunctionRegistry* engine_functions = nullptr,
                 std::shared_ptr<store::MemoryDisk> of = std::make_shared<store::MemoryDisk>())
      : disk(std::move(of)) {
    workflow::register_all_functions(functions);
    store::StoreOptions options;
    options.engine = "memory";
    options.on_fatal = [](const std::string&) {};  // a test breaks the disk
    auto opened =
        store::open_memory_store(options, disk, store::MemoryThreads::inline_, bench.loop.clock());
    REQUIRE(opened.ok());
    store = std::make_unique<test::Meanwhile>(std::move(*opened));
    workflow::EngineServices services;
    services.store = store.get();
    services.registry = engine_functions == nullptr ? &functions : engine_functions;
    services.shard_of = [this](std::string_view) -> runtime::Executor& { return bench.loop; };
    services.timers = &bench.loop;
    services.functions.clock = &bench.loop.clock();
    engine = std::make_unique<workflow::Engine>(std::move(services));
    deployments = std::make_unique<Deployments>(
        DeploymentServices{store.get(), &bench.guard, &bench.connectors, engine.get(), &functions,
                           &knowledge, nullptr});
    ctx = system_context(default_tenant(), "test");
  }
  ~Rooms() { bench.loop.run(engine->stop()); }

  Result<DeploymentInfo> deploy(Files given) {
    std::vector<Error> errors;
    return bench.loop.run(deployments->deploy(ctx, std::move(given), {}, &errors));
  }
  std::vector<std::string> installed() const {
    std::vector<std::string> names;
    for (const auto& one : engine->definitions(default_tenant())) {
      names.push_back(one.name);
    }
    return names;
  }
  std::uint64_t recorded() {
    auto row = bench.loop.run(store->stream(ctx, store::StreamKind::deployment, "current"));
    return row.ok() ? row->version : 0;
  }

  connectors::test::Bench bench;  // its guard, its connectors, its loop
  std::shared_ptr<store::MemoryDisk> disk;
  workflow::FunctionRegistry functions;
  std::unique_ptr<test::Meanwhile> store;
  std::unique_ptr<workflow::Engine> engine;
  std::unique_ptr<Deployments> deployments;
  data::Knowledge knowledge;
  Context ctx;
};

std::string best(const data::Knowledge& knowledge, const std::string& text) {
  data::Question question;
  question.text = text;
  const auto found = knowledge.search(default_tenant(), question);
  return found.answers.empty() ? "" : found.answers.front().article;
}

using Names = std::vector<std::string>;

TEST_CASE("deploy: articles are found from then on, until a bundle without them comes") {
  Rooms rooms;
  Files with = files("1", "first");
  with["knowledge/refund.md"] = "---\ntitle: Refunds\n---\nThe money comes back to your card.\n";
  with["knowledge/parcel.md"] = "---\ntitle: Parcels\n---\nTrack the parcel by its number.\n";
  REQUIRE(rooms.deploy(with).ok());
  CHECK(best(rooms.knowledge, "where is my money") == "refund");
  rooms.disk->break_next_sync();
  with.erase("knowledge/refund.md");
  CHECK(!rooms.deploy(with).ok());
  CHECK(best(rooms.knowledge, "where is my money") == "refund");

  Rooms other;
  with["knowledge/refund.md"] = "---\ntitle: Refunds\n---\nThe money comes back to your card.\n";
  REQUIRE(other.deploy(with).ok());
  REQUIRE(other.deploy(files("2", "second")).ok());
  CHECK(best(other.knowledge, "where is my money").empty());
}

TEST_CASE("deploy: what a new bundle no longer has is gone at once") {
  Rooms rooms;
  REQUIRE(rooms.deploy(files("1", "first")).ok());
  CHECK(rooms.installed() == Names{"first"});
  REQUIRE(rooms.deploy(files("2", "second")).ok());
  CHECK(rooms.installed() == Names{"second"});
  CHECK(rooms.engine->triggered_by(default_tenant(), "first").empty());
}

TEST_CASE("deploy: what cannot be recorded does not run") {
  Rooms rooms;
  REQUIRE(rooms.deploy(files("1", "first")).ok());
  const std::string policies = rooms.bench.guard.bundle_digest(default_tenant());
  Files next = files("2", "second");
  next["policies/e.rego"] += "# changed\n";
  rooms.disk->break_next_sync();
  auto refused = rooms.deploy(next);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code() == Code::data_loss);
  CHECK(rooms.installed() == Names{"first"});
  CHECK(rooms.bench.guard.bundle_digest(default_tenant()) == policies);
  CHECK(rooms.deployments->current(default_tenant())->version == "1.0.0");
}

TEST_CASE("deploy: what cannot be installed is not recorded, and the next start is not broken") {
  const workflow::FunctionRegistry none;  // an engine that knows less than the check does
  Rooms rooms(&none);
  Files calling = files("1", "first");
  calling["workflows/a.yaml"] = workflow("first").replace(
      workflow("first").find("{set: {x: 1}}"), 13,
      "{call: 'policy:1.0.0@default', with: {path: aios/event_admit/allow}}");
  const std::string policies = rooms.bench.guard.bundle_digest(default_tenant());
  CHECK_FALSE(rooms.deploy(calling).ok());
  CHECK(rooms.bench.guard.bundle_digest(default_tenant()) == policies);
  CHECK(rooms.recorded() == 0);
  CHECK(rooms.installed().empty());
  CHECK_FALSE(rooms.deployments->current(default_tenant()).ok());
  auto good = rooms.deploy(files("1", "first"));
  REQUIRE(good.ok());
  CHECK(good->number == 1);
  CHECK(rooms.recorded() == 1);
}

TEST_CASE("deploy: a tenant whose bundle cannot be loaded at a start gets another one") {
  const auto disk = std::make_shared<store::MemoryDisk>();
  Files calling = files("1", "first");
  calling["workflows/a.yaml"] = workflow("first").replace(
      workflow("first").find("{set: {x: 1}}"), 13,
      "{call: 'policy:1.0.0@default', with: {path: aios/event_admit/allow}}");
  {
    Rooms before(nullptr, disk);
    REQUIRE(before.deploy(calling).ok());
    REQUIRE(before.bench.loop.run(before.deployments->load(before.ctx)).ok());
    CHECK(before.store->close().ok());
  }
  const workflow::FunctionRegistry none;
  Rooms after(&none, disk);
  auto failures = after.bench.loop.run(after.deployments->load(after.ctx));
  REQUIRE(failures.ok());
  REQUIRE(failures->size() == 1);
  const auto told = after.deployments->current(default_tenant());
  CHECK(told.error().page() == 1108);
  CHECK(told.error().message().find("could not be loaded") != std::string::npos);
  CHECK(after.deployments->failed() == std::vector{default_tenant()});
  CHECK(after.deployments->none_loaded());
  const auto failure = after.deployments->failure(default_tenant());
  REQUIRE(failure);
  CHECK(failure->code() == Code::unavailable);
  CHECK(failure->page() == 1116);
  CHECK(failure->retry_after());
  CHECK_FALSE(after.deployments->failure(*TenantId::parse("another")));  // never had one

  Files other = files("2", "second");
  other["aios.yaml"] = "name: another\nversion: 1.0.0\n";
  CHECK(after.deploy(other).error().page() == 1107);
  auto mended = after.deploy(files("2", "second"));
  REQUIRE(mended.ok());
  CHECK(mended->number == 2);
  CHECK(after.deployments->failed().empty());
  CHECK_FALSE(after.deployments->none_loaded());
  CHECK_FALSE(after.deployments->failure(default_tenant()));
  CHECK(after.recorded() == 2);
  CHECK(after.installed() == Names{"second"});
}

Task<void> deploy_into(Rooms* rooms, Files given, std::vector<Result<DeploymentInfo>>* out) {
  std::vector<Error> errors;
  auto deploying = rooms->deployments->deploy(rooms->ctx, std::move(given), JsonObject(), &errors);
  auto info = co_await std::move(deploying);
  out->push_back(std::move(info));
}

Task<void> deploy_there(Deployments* deployments, Context ctx, Files given,
                        Result<DeploymentInfo>* out) {
  std::vector<Error> errors;
  auto deploying = deployments->deploy(std::move(ctx), std::move(given), JsonObject(), &errors);
  auto info = co_await std::move(deploying);
  *out = std::move(info);
}

Task<void> deploy_set(Rooms* rooms, Files given, JsonObject set, Result<DeploymentInfo>* out) {
  std::vector<Error> errors;
  auto deploying =
      rooms->deployments->deploy(rooms->ctx, std::move(given), std::move(set), &errors);
  auto info = co_await std::move(deploying);
  *out = std::move(info);
}

Task<void> nothing() { co_return; }

TEST_CASE("deploy: two at the same time are one after the other") {
  Rooms rooms;
  std::vector<Result<DeploymentInfo>> done;
  runtime::TaskGroup group(rooms.bench.loop);
  group.spawn(deploy_into(&rooms, files("1", "first"), &done));
  group.spawn(deploy_into(&rooms, files("2", "second"), &done));
  rooms.bench.loop.run(group.join());
  REQUIRE(done.size() == 2);
  CHECK(done[0].error().page() == 1114);
  CHECK(done[0].error().retry() == Retry::same_call);
  CHECK(done[1].ok());
  CHECK(rooms.installed() == Names{"first"});
}

TEST_CASE("deploy: one that read what was set before another was made is refused, then keeps it") {
  Rooms rooms;
  const auto with_limit = [](std::string_view version) {
    Files given = files(version, "first");
    given["aios.yaml"] += "parameters:\n  limit: {type: integer, default: 5}\n";
    return given;
  };
  std::vector<Error> errors;
  Result<DeploymentInfo> other = Error(Code::internal, "not deployed");
  for (const std::uint64_t before : {0, 1}) {  // the first of a tenant, and a later one
    CAPTURE(before);
    const int limit = 8 + static_cast<int>(before);
    rooms.store->once_read(store::StreamKind::deployment, [&] {
      return deploy_set(&rooms, with_limit(fmt::format("{}", limit)), {{"limit", limit}}, &other);
    });
    auto late = rooms.deploy(with_limit("2"));
    REQUIRE(other.ok());
    REQUIRE_FALSE(late.ok());
    CHECK(late.error().code() == Code::aborted);
    CHECK(late.error().page() == 1117);
    CHECK(late.error().retry() == Retry::whole_step);
    CHECK(late.error().message().find("deploy again") != std::string::npos);
    CHECK(rooms.recorded() == before + 1);
    CHECK(rooms.deployments->current(default_tenant())->parameters.at("limit") == limit);
  }
  auto again = rooms.deploy(with_limit("2"));
  REQUIRE(again.ok());
  CHECK(again->number == 3);
  CHECK(again->parameters.at("limit") == 9);
}

TEST_CASE("deploy: one that is overtaken at the commit is told the same") {
  Rooms rooms;
  Deployments elsewhere(DeploymentServices{rooms.store.get(), &rooms.bench.guard,
                                           &rooms.bench.connectors, rooms.engine.get(),
                                           &rooms.functions, &rooms.knowledge, nullptr});
  Result<DeploymentInfo> other = Error(Code::internal, "not deployed");
  // The first read is of the settings, the second just before all is made ready.
  rooms.store->once_read(store::StreamKind::deployment, [&] {
    rooms.store->once_read(store::StreamKind::deployment, [&] {
      return deploy_there(&elsewhere, rooms.ctx, files("1", "first"), &other);
    });
    return nothing();
  });
  const auto late = rooms.deploy(files("2", "second"));
  REQUIRE(other.ok());
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().page() == 1117);
  CHECK(rooms.recorded() == 1);
}

TEST_CASE("deploy: a secret that is missing is told") {
  Rooms rooms;
  Files given = files("1", "first");
  given["aios.yaml"] += "needs: {secrets: [lost-token]}\n";
  given["policies/egress.rego"] =
      "package aios.connector_egress\nimport rego.v1\ndefault allow := true\n";
  given["connectors/desk/connector.yaml"] = R"(name: desk
kind: http
region: eu
baseUrl: "http://127.0.0.1:1"
auth: {bearer: {secret: lost-token}}
operations:
  tell: {method: POST, path: /notices, effect: none, body: ., resultSchema: {}}
)";
  for (const bool changed : {true, false}) {
    auto info = rooms.deploy(given);
    REQUIRE(info.ok());
    CHECK(info->changed == changed);
    REQUIRE(info->warnings.size() == 1);
    CHECK(info->warnings[0].find("[AIOS-0906]") != std::string::npos);
  }
}

TEST_CASE("deploy: a secret that only a workflow's 'call: http' names is told when it is missing") {
  Rooms rooms;
  bool there = false;
  DeploymentServices services{rooms.store.get(),
                              &rooms.bench.guard,
                              &rooms.bench.connectors,
                              rooms.engine.get(),
                              &rooms.functions,
                              &rooms.knowledge,
                              nullptr};
  services.secret = [&there](const TenantId&, std::string_view name) {
    return there ? Result<std::string>(std::string("t0k"))
                 : Result<std::string>(
                       Error(Code::not_found, fmt::format("secret '{}' is nowhere", name))
                           .page(1402));
  };
  rooms.deployments = std::make_unique<Deployments>(services);
  Files given = files("1", "first");
  given["aios.yaml"] += "needs: {secrets: [crm-token], egress: ['https://crm.example.com']}\n";
  given["policies/egress.rego"] =
      "package aios.connector_egress\nimport rego.v1\ndefault allow := true\n";
  given["workflows/crm.yaml"] = R"(document: {dsl: 1.0.3, namespace: t, name: crm, version: '1.0.0'}
use: {secrets: [crm-token]}
do:
  - ask:
      call: http
      with:
        method: get
        endpoint:
          uri: https://crm.example.com/customers
          authentication: {bearer: {use: crm-token}}
)";
  auto info = rooms.deploy(given);
  REQUIRE(info.ok());
  REQUIRE(info->warnings.size() == 1);
  CHECK(info->warnings[0].find("'crm-token' is nowhere") != std::string::npos);
  CHECK(info->warnings[0].find("workflows/crm.yaml") != std::string::npos);
  CHECK(info->warnings[0].find("[AIOS-1402]") != std::string::npos);
  CHECK(rooms.deployments->missing_secrets(default_tenant()).size() == 1);  // what the doctor asks
  there = true;
  CHECK(rooms.deployments->missing_secrets(default_tenant()).empty());
}

TEST_CASE("deploy: parameters that are not given keep what was set, and changes are told") {
  Rooms rooms;
  const auto with = [](std::string_view version, std::string_view limit) {
    Files given = files(version, "first");
    given["aios.yaml"] += "parameters:\n  limit: {type: integer, default: " + std::string(limit) +
                          "}\n  other: {type: integer, default: " + std::string(limit) + "}\n";
    return given;
  };
  const auto deploy = [&rooms](Files given, JsonObject set) {
    std::vector<Error> errors;
    return rooms.bench.loop.run(
        rooms.deployments->deploy(rooms.ctx, std::move(given), std::move(set), &errors));
  };
  auto first = deploy(with("1", "5"), {{"limit", "9"}});
  REQUIRE(first.ok());
  CHECK(first->parameters == JsonObject{{"limit", 9}, {"other", 5}});
  CHECK(first->changes.empty());
  auto second = deploy(with("2", "6"), {});  // a new default goes where nothing was set
  REQUIRE(second.ok());
  CHECK(second->parameters == JsonObject{{"limit", 9}, {"other", 6}});
  REQUIRE(second->changes.size() == 1);
  CHECK(second->changes[0].name == "other");
  auto third = deploy(with("2", "6"), {{"limit", nullptr}});
  REQUIRE(third.ok());
  CHECK(third->parameters == JsonObject{{"limit", 6}, {"other", 6}});
  CHECK(third->set.empty());
  CHECK(rooms.deployments->current(default_tenant())->changes.empty());
  auto equal = deploy(with("2", "6"), {{"limit", "6"}});  // set to what is the default anyway
  REQUIRE(equal.ok());
  CHECK(equal->changed);
  CHECK_FALSE(deploy(with("2", "6"), {{"limit", "6"}})->changed);
  auto later = deploy(with("3", "7"), {});
  REQUIRE(later.ok());
  CHECK(later->parameters == JsonObject{{"limit", 6}, {"other", 7}});
}

}  // namespace
}  // namespace aios::bundle

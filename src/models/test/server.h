// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/test/server: the registry on a memory disk, and who asks it what.

#include "models/models.h"
#include "models/test/examples.h"
#include "store/test/memory.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

namespace aios::models::test {

inline constexpr const char* promotion_policy = R"(package aios.model_promote
import rego.v1
default allow := false
allow if input.gates.passed
deny contains msg if {
  not input.gates.passed
  some msg in input.gates.failed
}
)";

inline Context person(const std::string& id, const std::string& tenant = "default") {
  auto principal = std::make_shared<Principal>();
  principal->id = id;
  principal->kind = "key";
  Context ctx;
  ctx.tenant = *TenantId::parse(tenant);
  ctx.principal = std::move(principal);
  return ctx;
}

inline ModelSpec spec(double accuracy_min = 0.5) {
  ModelSpec wanted;
  wanted.name = "intent";
  wanted.owner = "desk@example.com";
  wanted.intended_use = "Sorts mail.";
  wanted.failure_modes = {"Irony is read literally."};
  wanted.seed = 7;
  wanted.accuracy_min = accuracy_min;
  return wanted;
}

inline std::vector<Example> held_out() {
  return {{"my parcel is late", "delivery"},
          {"refund me the money", "refund"},
          {"password forgotten", "password"},
          {"money back please", "refund"}};
}

/// One server on a memory disk; restart() is a new process on the same disk.
struct Server {
  runtime::Shards shards{1};
  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  std::unique_ptr<store::Store> store;
  govern::Guard guard;
  std::unique_ptr<runtime::BlockingPool> pool;
  std::unique_ptr<Models> models;

  Server() {
    REQUIRE(guard.load(default_tenant(), {{"promote.rego", promotion_policy}}, JsonObject{}).ok());
    start();
  }
  ~Server() { stop(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void stop() {
    models.reset();
    pool.reset();
    store.reset();
  }
  void start() {
    store = store::test::open_memory(disk, runtime::system_clock(), store::MemoryThreads::own);
    pool = std::make_unique<runtime::BlockingPool>(1);
    models = std::make_unique<Models>(*store, guard, *pool, runtime::system_clock());
    const auto loaded = run(models->load(system_context(default_tenant(), "test")));
    REQUIRE(loaded.ok());
  }
  template <class T>
  T run(Task<T> task) {
    return shards.run(0, std::move(task));
  }
  Result<VersionInfo> train(const std::string& by = "key_trainer", double accuracy_min = 0.5) {
    return run(models->train(person(by), spec(accuracy_min), desk_examples(), held_out()));
  }
  Result<AliasInfo> promote(const std::string& by, std::uint32_t version) {
    return run(models->promote(person(by), "intent", version, "intent", {}));
  }
  std::vector<std::string> leaves() {
    auto all = run(store->leaves(system_context(default_tenant(), "test"), 0, 100));
    REQUIRE(all.ok());
    return *all;
  }
};

}  // namespace aios::models::test

// SPDX-License-Identifier: Apache-2.0
#pragma once
// api/test/house: the control API over a store in memory, keys, runs and reviews; no network.

#include "api/api.h"
#include "core/json.h"
#include "runtime/sim.h"
#include "store/memory.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::api::test {

class House {
 public:
  House() {
    store::StoreOptions options;
    options.engine = "memory";
    store = store::open_memory_store(options, std::make_shared<store::MemoryDisk>(),
                                     store::MemoryThreads::inline_, loop.clock())
                .value();
    identity = std::make_unique<govern::Identity>(*store, loop.clock());
    tenants = std::make_unique<govern::Tenants>(*store, guard, loop.clock());
    REQUIRE(loop.run(tenants->load(system_context(default_tenant(), "start"), "eu")).ok());
    REQUIRE(guard
                .load(default_tenant(),
                      {{"reviews.rego", "package aios.review_assign\ndefault allow := true\n"}}, {})
                .ok());
    reviews = std::make_unique<review::Reviews>(*store, guard, loop.clock(), loop.random());
    workflow::EngineServices rooms;
    rooms.store = store.get();
    rooms.shard_of = [this](std::string_view) -> runtime::Executor& { return loop; };
    rooms.timers = &loop;
    rooms.functions.clock = &loop.clock();
    rooms.functions.guard = &guard;
    rooms.functions.reviews = reviews.get();
    rooms.functions.form = [](const TenantId&, std::string_view) {
      return parse_json(R"({"type": "object", "properties": {"label": {"type": "string"}}})");
    };
    engine = std::make_unique<workflow::Engine>(rooms);
    connectors::DeliveryServices leaving;
    leaving.store = store.get();
    leaving.guard = &guard;
    leaving.secrets = [](const TenantId&, std::string_view) {
      return Result<std::string>("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    };
    deliveries = std::make_unique<connectors::Deliveries>(leaving);
    services.deliveries = deliveries.get();
    services.store = store.get();
    services.identity = identity.get();
    services.tenants = tenants.get();
    services.guard = &guard;
    services.reviews = reviews.get();
    services.engine = engine.get();
    services.router = &router;
    services.ready = &ready;
    services.damaged = &damaged;
    mount_api(router, services);
  }
  ~House() { loop.run(engine->stop()); }
  House(const House&) = delete;
  House& operator=(const House&) = delete;

  /// @param ctx  with a principal: a caller in this process; without one it needs a key.
  net::Response send(const Context& ctx, std::string method, std::string target,
                     std::string body = "", const net::Headers& headers = {}) {
    net::Request request;
    request.headers = headers;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    REQUIRE(net::parse_target(request.target, &request).ok());
    return loop.run(router.dispatch(ctx, std::move(request)));
  }
  Json get(const std::string& target) {
    const auto answer = send(system(), "GET", target);
    CAPTURE(answer.body);
    REQUIRE(answer.status == 200);
    return parse_json(answer.body).value();
  }
  static Context system() { return system_context(default_tenant(), "test"); }
  static Context with_roles(std::vector<std::string> roles) {
    Context ctx = system();
    ctx.principal = std::make_shared<Principal>(Principal{"key_1", "key", std::move(roles)});
    return ctx;
  }
  /// The ids of every page, page after page.
  std::vector<std::string> ids(const std::string& target, int limit) {
    std::vector<std::string> out;
    const std::string first = target + (target.find('?') == std::string::npos ? "?" : "&") +
                              "limit=" + std::to_string(limit);
    std::string after;
    for (int pages = 0; pages < 100; ++pages) {
      const Json page = get(after.empty() ? first : first + "&after=" + after);
      for (const Json& item : find(page, "items")->get_array()) {
        out.emplace_back(text_or(item, "id", ""));
      }
      after = text_or(page, "next", "");
      if (after.empty()) {
        return out;
      }
    }
    FAIL("the pages do not end");
    return out;
  }

  runtime::SimExecutor loop;
  std::unique_ptr<store::Store> store;
  govern::Guard guard;
  std::unique_ptr<govern::Identity> identity;
  std::unique_ptr<govern::Tenants> tenants;
  std::unique_ptr<review::Reviews> reviews;
  std::unique_ptr<workflow::Engine> engine;
  std::unique_ptr<connectors::Deliveries> deliveries;
  std::atomic<bool> ready = true;
  std::atomic<bool> damaged = false;
  ApiServices services;
  net::Router router;
};

}  // namespace aios::api::test

// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/test/leaving: deliveries over a store in memory and a peer that answers as told, on
// simulated time.

#include "connectors/delivery.h"
#include "connectors/test/bench.h"
#include "store/memory.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

namespace aios::connectors::test {

inline constexpr std::string_view shop = R"(name: shop
region: eu
url: "${params.url}/hooks"
types: [order.shipped, "refund.*"]
callbacks: "${params.url}/callbacks/"
secret: shop-key
timeout: PT2S
concurrency: 2
retry: {first: PT1S, most: PT10M, giveUpAfter: PT2H}
)";
inline constexpr std::string_view bank = R"(name: bank
region: eu
url: https://bank.example/in
types: ["*"]
source: /bank/
secret: bank-key
)";
inline constexpr std::string_view rego = R"(package aios.connector_egress
import rego.v1
default allow := false
allow if startswith(input.connector.name, "delivery/")
deny contains "nothing secret leaves" if input.arguments.data.secret
obligations contains {"type": "project", "fields": ["specversion", "id", "type", "source"]} if
  input.arguments.data.cut
)";
inline constexpr std::string_view secret_text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct Leaving {
  Leaving() : disk(std::make_shared<store::MemoryDisk>()) {
    REQUIRE(
        guard.load(default_tenant(), {{"policies/egress.rego", std::string(rego)}}, JsonObject())
            .ok());
    open();
  }
  ~Leaving() { stop(); }

  /// A start of the process.
  void open() {
    store::StoreOptions options;
    options.engine = "memory";
    store = store::open_memory_store(options, disk, store::MemoryThreads::inline_, loop.clock())
                .value();
    DeliveryServices services;
    services.store = store.get();
    services.guard = &guard;
    services.client = &client;
    services.secrets = [this](const TenantId&, std::string_view) -> Result<std::string> {
      return secret.empty() ? Result<std::string>(Error(Code::not_found, "no such secret"))
                            : Result<std::string>(secret);
    };
    deliveries = std::make_unique<Deliveries>(services);
    subscribe({{"subscriptions/shop.yaml", std::string(shop)}});
  }
  void subscribe(const std::vector<ManifestFile>& files) {
    auto staged =
        deliveries->stage(default_tenant(), files, JsonObject{{"url", "http://shop.example:8080"}});
    for (const Error& error : staged.errors) {
      FAIL_CHECK(error.text());
    }
    staged.put();
  }
  void go() {
    cancel = std::make_shared<CancelState>();
    Context run_ctx = ctx();
    run_ctx.cancel = cancel;
    group.spawn(deliveries->run(run_ctx));
  }
  void stop() {
    if (cancel) {
      cancel->cancel();
      loop.run(group.join());
      cancel.reset();
    }
    deliveries.reset();
    if (store) {
      REQUIRE(store->close().ok());
      store.reset();
    }
  }
  static Context ctx() { return system_context(default_tenant(), "test"); }

  /// Messages as a run's commit leaves them, taken up.
  void emit(const std::string& run, const std::string& type, JsonObject data = {}) {
    JsonObject event{{"specversion", "1.0"},
                     {"id", fmt::format("e{}", ++events)},
                     {"source", "/shop/"},
                     {"type", type},
                     {"data", std::move(data)}};
    put("event", run, Json(std::move(event)));
  }
  void call_back(const std::string& run, const std::string& url) {
    put("callback", run,
        JsonObject{
            {"receiver", "shop"},
            {"url", url},
            {"subject", ""},
            {"envelope", JsonObject{{"specversion", "1.0"}, {"type", "aios.task.completed"}}}});
  }
  void put(const std::string& topic, const std::string& run, const Json& message) {
    store::Transition transition;
    transition.tenant = default_tenant();
    transition.epoch = store->epoch();
    transition.outbox.push_back({topic, run, {"", to_text(message)}});
    REQUIRE(loop.run(store->commit(ctx(), std::move(transition))).ok());
    auto rows = loop.run(store->outbox(ctx(), 0, 10));
    REQUIRE(rows.ok());
    for (auto& row : *rows) {
      REQUIRE(loop.run(deliveries->take(ctx(), std::move(row))).ok());
    }
    CHECK(loop.run(store->outbox(ctx(), 0, 10)).value().empty());
  }
  std::vector<store::StreamRow> rows(std::string status = "") {
    store::ListQuery query;
    query.status = std::move(status);
    return loop.run(deliveries->list(ctx(), query)).value();
  }
  Json only() {
    const auto all = rows();
    REQUIRE(all.size() == 1);
    return Deliveries::to_json(all[0], Shown::all);
  }
  std::vector<std::string> leaves() { return loop.run(store->leaves(ctx(), 0, 100)).value(); }

  runtime::SimExecutor loop;
  std::shared_ptr<store::MemoryDisk> disk;
  govern::Guard guard;
  FakeClient client;
  std::string secret{secret_text};
  runtime::TaskGroup group{loop};
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Deliveries> deliveries;
  std::shared_ptr<CancelState> cancel;
  int events = 0;
};

}  // namespace aios::connectors::test

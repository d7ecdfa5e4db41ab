// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/test/inbox: an ingress on simulated time over a store in memory.

#include "ingress/ingress.h"
#include "ingress/sources.h"
#include "runtime/sim.h"
#include "store/memory.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aios::ingress::test {

/// Admits everything; no workflow is installed, so that every event is a dead letter.
struct Inbox {
  explicit Inbox(std::vector<workflow::FunctionEntry> more_functions = {},
                 workflow::PlacesOptions places = {}) {
    auto opened =
        store::open_memory_store({}, disk, store::MemoryThreads::inline_, executor.clock());
    REQUIRE(opened.ok());
    store = std::move(*opened);
    open_to(default_tenant());
    workflow::register_all_functions(functions);
    for (auto& entry : more_functions) {
      functions.add(std::move(entry));
    }
    workflow::EngineServices services;
    services.store = store.get();
    services.registry = &functions;
    services.places = places;
    services.functions.guard = &guard;
    services.shard_of = [this](std::string_view) -> runtime::Executor& { return executor; };
    services.timers = &executor;
    services.functions.clock = &executor.clock();
    engine = std::make_unique<workflow::Engine>(std::move(services));
    ingress = std::make_unique<Ingress>(
        IngressServices{store.get(), &guard, engine.get(), &metrics, &log,
                        [this](const TenantId& tenant) { return why_held(tenant); }, &sources});
  }
  ~Inbox() { executor.run(engine->stop()); }

  /// Policy lets events of the tenant in.
  void open_to(const TenantId& tenant) {
    const auto loaded = guard.load(tenant,
                                   {{"policies/e.rego",
                                     "package aios.event_admit\nimport rego.v1\n"
                                     "default allow := true\n"}},
                                   JsonObject());
    REQUIRE(loaded.ok());
  }
  std::optional<Error> why_held(const TenantId& tenant) const {
    if (held != tenant) {
      return std::nullopt;
    }
    return Error(Code::unavailable, "the tenant waits for its bundle", Retry::same_call);
  }
  /// The sources of the tenant, all of them right.
  void declare(const std::vector<SourceFile>& files, const JsonObject& params = {}) {
    auto staged = sources.stage(default_tenant(), files, params);
    for (const Error& error : staged.errors) {
      FAIL(error.text());
    }
    staged.put();
  }
  /// A workflow that takes events of the type and ends at once.
  void install(std::string_view type, std::string_view schema = "") {
    const auto refused = engine->install(
        default_tenant(),
        {{"workflows/order.yaml",
          fmt::format("document: {{dsl: 1.0.3, namespace: shop, name: order, version: 1.0.0}}\n"
                      "schedule: {{on: {{one: {{with: {{type: {}}}}}}}}}\n{}"
                      "do:\n  - a: {{set: {{x: 1}}}}\n",
                      type, schema)}});
    REQUIRE(refused.empty());
  }
  /// The audit leaves of events.
  std::vector<Json> leaves() {
    std::vector<Json> out;
    const auto found =
        executor.run(store->leaves(system_context(default_tenant(), "test"), 0, 1'000));
    REQUIRE(found.ok());
    for (const auto& leaf : *found) {
      auto parsed = parse_json(leaf);
      REQUIRE(parsed.ok());
      if (text_or(*parsed, "kind", "") == "event") {
        out.push_back(std::move(*parsed));
      }
    }
    return out;
  }
  Accepted accept(int number) {
    auto event = event_from_envelope({{"specversion", "1.0"},
                                      {"id", fmt::format("{}", number)},
                                      {"source", "/shop"},
                                      {"type", "shop.odrer"},
                                      {"data", {{"name", "mother's maiden name"}}}});
    REQUIRE(event.ok());
    auto ctx = system_context(default_tenant(), "test");
    auto accepted = executor.run(ingress->accept(std::move(ctx), std::move(*event), 100));
    REQUIRE(accepted.ok());
    return *accepted;
  }

  runtime::SimExecutor executor{1};
  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  std::unique_ptr<store::Store> store;
  govern::Guard guard;
  observe::Metrics metrics;
  std::vector<std::string> lines;
  observe::Log log{[this](std::string_view line) { lines.emplace_back(line); }};
  workflow::FunctionRegistry functions;
  std::unique_ptr<workflow::Engine> engine;
  Sources sources;
  std::unique_ptr<Ingress> ingress;
  std::optional<TenantId> held;  ///< takes no events now
};

}  // namespace aios::ingress::test

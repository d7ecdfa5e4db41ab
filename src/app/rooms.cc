// SPDX-License-Identifier: Apache-2.0
#include "app/rooms.h"

#include "app/correction_rows.h"
#include "app/sources.h"
#include "observe/metric_table.h"

#include <algorithm>
#include <utility>

namespace aios::app {
namespace {

workflow::FunctionRegistry all_functions() {
  workflow::FunctionRegistry functions;
  workflow::register_all_functions(functions);
  return functions;
}

ingress::SourceRegistry all_sources() {
  ingress::SourceRegistry sources;
  ingress::register_all_sources(sources);
  return sources;
}

Result<Context> may_send(Result<Context> caller) {
  auto allowed =
      caller.ok() ? govern::Identity::allow(*caller, govern::Action::send_events) : Result<void>();
  return allowed.ok() ? std::move(caller) : Result<Context>(std::move(allowed).error());
}

Context own_context(std::string_view name, const std::shared_ptr<CancelState>& stopping) {
  Context ctx = system_context(default_tenant(), name);
  ctx.cancel = stopping;
  return ctx;
}

}  // namespace

Rooms::Rooms(Ground on)
    : ground(std::move(on)),
      tenants(*ground.store, guard, *ground.clock),
      identity(*ground.store, *ground.clock),
      models(*ground.store, guard, *ground.pool, *ground.clock),
      gateway(guard, models, *ground.metrics, *ground.clock),
      hosted(hosted_services()),
      connectors(guard, *ground.client, ground.secret, *ground.metrics, *ground.clock),
      deliveries(connectors::DeliveryServices{ground.store, &guard, ground.client, ground.secret,
                                              ground.metrics, ground.log}),
      reviews(*ground.store, guard, *ground.clock, *ground.random),
      functions(all_functions()),
      engine(engine_services()),
      deployments(deployment_services()),
      ingress(ingress_services()),
      outbox(*ground.store, ingress, *ground.log) {
  const auto holder = [this](const TenantId& tenant, const std::string& principal) {
    return holder_of(tenant, principal);
  };
  reviews.know_holders(holder);
  models.know_holders(holder);
  models.read_rows(correction_rows(&reviews));
  outbox.hand_on({.subscribed =
                      [this](const TenantId& tenant, const ingress::Event& event) {
                        return deliveries.subscribed(tenant, event.type, event.source);
                      },
                  .wanted =
                      [this](Context ctx, std::string type) {
                        return engine.wanted(std::move(ctx), std::move(type));
                      },
                  .take =
                      [this](Context ctx, store::OutboxRow row) {
                        return deliveries.take(std::move(ctx), std::move(row));
                      }});
  ground.metrics->gauge(observe::metric("aios_tenants_held"),
                        [this] { return static_cast<double>(deployments.failed().size()); });
}

std::string Rooms::holder_of(const TenantId& tenant, const std::string& principal) const {
  const auto keys = identity.list(tenant);
  const auto key = std::find_if(keys.begin(), keys.end(),
                                [&](const govern::KeyInfo& one) { return one.id == principal; });
  return key == keys.end() ? std::string() : key->name;
}

/// Models of somebody else's, and what may be paid for them.
gateway::HostedServices Rooms::hosted_services() {
  gateway::HostedServices services;
  services.guard = &guard;
  services.budgets = &budgets;
  services.client = ground.client;
  services.secret = ground.secret;
  services.metrics = ground.metrics;
  services.clock = ground.clock;
  return services;
}

workflow::EngineServices Rooms::engine_services() {
  workflow::EngineServices services;
  services.store = ground.store;
  services.functions.guard = &guard;
  services.functions.gateway = &gateway;
  services.functions.hosted = &hosted;
  services.functions.connectors = &connectors;
  services.functions.reviews = &reviews;
  services.functions.knowledge = &knowledge;
  services.functions.clock = ground.clock;
  services.functions.form = [this](const TenantId& tenant, std::string_view name) {
    return deployments.form(tenant, name);
  };
  services.shard_of = ground.shard_of;
  services.timers = ground.timers;
  services.metrics = ground.metrics;
  services.log = ground.log;
  services.restored_through = ground.restored_through;
  services.held = [this](const TenantId& tenant) { return deployments.failure(tenant); };
  services.subscribed = [this](const TenantId& tenant, std::string_view type,
                               std::string_view source) {
    return deliveries.subscribed(tenant, type, source);
  };
  return services;
}

bundle::DeploymentServices Rooms::deployment_services() {
  bundle::DeploymentServices services;
  services.store = ground.store;
  services.guard = &guard;
  services.connectors = &connectors;
  services.engine = &engine;
  services.functions = &functions;
  services.knowledge = &knowledge;
  services.pool = ground.pool;
  services.models = &models;
  services.hosted = &hosted;
  services.budgets = &budgets;
  services.deliveries = &deliveries;
  services.learnt = &learnt;
  wire_sources(sources, ground.secret, ground.watch_root, &services);
  return services;
}

ingress::IngressServices Rooms::ingress_services() {
  ingress::IngressServices services;
  services.store = ground.store;
  services.guard = &guard;
  services.engine = &engine;
  services.metrics = ground.metrics;
  services.log = ground.log;
  services.held = [this](const TenantId& tenant) { return deployments.failure(tenant); };
  services.sources = &sources;
  return services;
}

ingress::SourceServices Rooms::source_services() {
  ingress::SourceServices services;
  services.ingress = &ingress;
  services.sources = &sources;
  services.store = ground.store;
  services.router = &router;
  services.log = ground.log;
  services.pool = ground.pool;
  services.secret = ground.secret;
  services.watch_root = ground.watch_root;
  services.authenticate = [this](const Context& ctx, const net::Request& request) {
    return may_send(api::authenticate(identity, ctx, request));
  };
  services.admit = [this](const Context& ctx, const net::Request& request) {
    return may_send(api::admit(identity, ctx, request));
  };
  return services;
}

void Rooms::mount(api::ApiServices beside) {
  const ingress::SourceServices services = source_services();
  const ingress::SourceRegistry kinds = all_sources();
  for (const auto& kind : kinds.entries()) {
    if (kind.mount != nullptr) {
      kind.mount(services);
    }
  }
  beside.store = ground.store;
  beside.guard = &guard;
  beside.identity = &identity;
  beside.tenants = &tenants;
  beside.audit = ground.audit;
  beside.budgets = &budgets;
  beside.models = &models;
  beside.gateway = &gateway;
  beside.connectors = &connectors;
  beside.deliveries = &deliveries;
  beside.reviews = &reviews;
  beside.engine = &engine;
  beside.deployments = &deployments;
  beside.ingress = &ingress;
  beside.metrics = ground.metrics;
  beside.router = &router;
  beside.pool = ground.pool;
  api::mount_api(router, beside);
}

Task<Result<std::vector<Error>>> Rooms::load(Context ctx, std::string region) {
  auto keys = co_await identity.load(ctx);
  if (!keys.ok()) {
    co_return std::move(keys).error().with("loading API keys");
  }
  auto known = co_await tenants.load(ctx, std::move(region));
  if (!known.ok()) {
    co_return std::move(known).error().with("loading tenants");
  }
  auto trained = co_await models.load(ctx);
  if (!trained.ok()) {
    co_return std::move(trained).error().with("loading models");
  }
  auto deployed = co_await deployments.load(std::move(ctx));
  if (!deployed.ok()) {
    co_return std::move(deployed).error().with("loading deployments");
  }
  co_return std::move(*deployed);
}

void Rooms::go_on(runtime::TaskGroup& group, const std::shared_ptr<CancelState>& stopping) {
  group.spawn(outbox.run(own_context("outbox", stopping)));
  group.spawn(deliveries.run(own_context("delivery", stopping)));
  const ingress::SourceRegistry kinds = all_sources();
  for (const auto& kind : kinds.entries()) {
    if (kind.run != nullptr) {
      group.spawn(kind.run(source_services(), own_context(kind.name, stopping)));
    }
  }
}

}  // namespace aios::app

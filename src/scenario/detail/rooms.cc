// SPDX-License-Identifier: Apache-2.0
#include "scenario/detail/rooms.h"

#include <utility>

namespace aios::scenario {
namespace {

std::unique_ptr<store::Store> open_store(runtime::Clock& clock) {
  store::StoreOptions options;
  options.engine = "memory";
  auto opened = store::open_memory_store(options, std::make_shared<store::MemoryDisk>(),
                                         store::MemoryThreads::inline_, clock);
  AIOS_ASSERT(opened.ok());  // nothing outside memory is needed
  return *std::move(opened);
}

Result<std::string> any_secret(const TenantId& /*tenant*/, std::string_view /*name*/) {
  return std::string("scripted");
}

std::vector<std::unique_ptr<gateway::Provider>> only(std::unique_ptr<gateway::Provider> one) {
  std::vector<std::unique_ptr<gateway::Provider>> out;
  out.push_back(std::move(one));
  return out;
}

std::vector<ingress::SourceFile> texts_of(const std::vector<bundle::SourceText>& files) {
  std::vector<ingress::SourceFile> texts;
  for (const auto& file : files) {
    texts.push_back({file.path, file.text});
  }
  return texts;
}

}  // namespace

Rooms::Rooms(const Json* models, const Json* systems_told, bundle::Learnt* learnt)
    : systems(systems_told, &unscripted),
      store(open_store(executor.clock())) {
  runtime::Clock& clock = executor.clock();
  registry = std::make_unique<models::Models>(*store, guard, pool, clock);
  gateway = std::make_unique<gateway::Gateway>(
      guard, only(std::make_unique<ScriptedModels>(models, &unscripted)), metrics, clock);
  hosted = std::make_unique<gateway::Hosted>(
      gateway::HostedServices{&guard, &budgets, &systems, any_secret, &metrics, &clock,
                              scripted_providers(models, &unscripted)});
  connectors = std::make_unique<connectors::Connectors>(guard, systems, any_secret, metrics, clock);
  reviews = std::make_unique<review::Reviews>(*store, guard, clock, executor.random());
  workflow::register_all_functions(functions);

  workflow::EngineServices services;
  services.store = store.get();
  services.functions.guard = &guard;
  services.functions.gateway = gateway.get();
  services.functions.hosted = hosted.get();
  services.functions.connectors = connectors.get();
  services.functions.reviews = reviews.get();
  services.functions.knowledge = &knowledge;
  services.functions.clock = &clock;
  services.functions.form = [this](const TenantId& tenant, std::string_view name) {
    return deployments->form(tenant, name);
  };
  services.registry = &functions;
  services.shard_of = [this](std::string_view) -> runtime::Executor& { return executor; };
  services.timers = &executor;
  services.metrics = &metrics;
  engine = std::make_unique<workflow::Engine>(std::move(services));

  bundle::DeploymentServices deployment;
  deployment.store = store.get();
  deployment.guard = &guard;
  deployment.connectors = connectors.get();
  deployment.engine = engine.get();
  deployment.functions = &functions;
  // Learning from articles takes seconds, for nothing where no step asks them.
  deployment.knowledge = learnt == nullptr ? nullptr : &knowledge;
  deployment.learnt = learnt;
  deployment.stage_sources = [this](const TenantId& tenant,
                                    const std::vector<bundle::SourceText>& files,
                                    const JsonObject& parameters) {
    return sources.stage(tenant, texts_of(files), parameters);
  };
  deployment.hosted = hosted.get();
  deployment.budgets = &budgets;
  deployments = std::make_unique<bundle::Deployments>(deployment);
  ingress::IngressServices events;
  events.store = store.get();
  events.guard = &guard;
  events.engine = engine.get();
  events.metrics = &metrics;
  events.sources = &sources;
  ingress = std::make_unique<ingress::Ingress>(events);
}

Rooms::~Rooms() { executor.run(engine->stop()); }

Context Rooms::caller(std::string_view name, const std::vector<std::string>& roles) const {
  Context ctx = system_context(default_tenant(), "scenario");
  auto principal = std::make_shared<Principal>();
  principal->id = "scenario:" + std::string(name);
  principal->kind = "system";
  principal->roles = roles;
  ctx.principal = std::move(principal);
  return ctx;
}

std::vector<Error> Rooms::deploy(const bundle::Files& files, const JsonObject& parameters) {
  const Context ctx = caller("deployer", {"admin"});
  std::vector<Error> errors;
  auto deployed = executor.run(deployments->deploy(ctx, files, parameters, &errors));
  if (!deployed.ok()) {
    return errors.empty() ? std::vector<Error>{std::move(deployed).error()} : std::move(errors);
  }
  auto recovered = executor.run(engine->recover(ctx));
  return recovered.ok() ? std::vector<Error>() : std::vector<Error>{std::move(recovered).error()};
}

}  // namespace aios::scenario

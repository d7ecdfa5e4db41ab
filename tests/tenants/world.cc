// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include "shop.h"

#include "app/correction_rows.h"
#include "app/sources.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <type_traits>

namespace aios::tenants {
namespace {

constexpr auto quantum = std::chrono::milliseconds(5);
constexpr auto answer_max = std::chrono::seconds(90);

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "tenants: {}\n", result.error().text());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}

connectors::SecretSource secrets() {
  return [](const TenantId& tenant, std::string_view name) -> Result<std::string> {
    return name == "desk-token" ? "token of " + tenant.text()
                                : "whsec_" + to_base64(hook_key(tenant.text()));
  };
}

std::string name_of_key(govern::Identity& identity, const TenantId& tenant, const std::string& id) {
  for (const govern::KeyInfo& key : identity.list(tenant)) {
    if (key.id == id) {
      return key.name;
    }
  }
  return "";
}

}  // namespace

World::World(const std::string& folder) : start_(loop_.clock().instant()) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  build_rooms(folder);
  build_ways();
  mount(folder);
  const Context ctx = system_context(default_tenant(), "start");
  must(run(tenants_->load(ctx, "eu")));
  must(run(engine_->recover(ctx)));
  std::vector<std::string> roles = {"admin"};
  first_key_ = must(run(identity_->create(ctx, "first key", std::move(roles)))).secret;
  background_ = std::make_unique<runtime::TaskGroup>(loop_);
  Context own = ctx;
  own.cancel = stopping_;
  background_->spawn(outbox_->run(own));
  background_->spawn(deliveries_->run(own));
}

World::~World() {
  run(ended(engine_->stop()));
  stopping_->cancel();
  run(ended(background_->join()));
  pool_.stop();
}

void World::build_rooms(const std::string& folder) {
  runtime::Clock& clock = loop_.clock();
  store::StoreOptions options;
  options.engine = "memory";
  options.root_key = std::string(32, 'k');
  store_ = must(store::open_memory_store(options, std::make_shared<store::MemoryDisk>(),
                                         store::MemoryThreads::inline_, clock));
  tenants_ = std::make_unique<govern::Tenants>(*store_, guard_, clock);
  identity_ = std::make_unique<govern::Identity>(*store_, clock);
  audit_ =
      must(govern::AuditLog::open(folder + "/audit", folder + "/signing.key", "tenants.example"));
  models_ = std::make_unique<models::Models>(*store_, guard_, pool_, clock);
  gateway_ = std::make_unique<gateway::Gateway>(guard_, *models_, metrics_, clock);
  gateway::HostedServices hosted;
  hosted.guard = &guard_;
  hosted.budgets = &budgets_;
  hosted.client = &outside_;
  hosted.secret = secrets();
  hosted.metrics = &metrics_;
  hosted.clock = &clock;
  hosted_ = std::make_unique<gateway::Hosted>(std::move(hosted));
  connectors_ =
      std::make_unique<connectors::Connectors>(guard_, outside_, secrets(), metrics_, clock);
  deliveries_ = std::make_unique<connectors::Deliveries>(
      connectors::DeliveryServices{store_.get(), &guard_, &outside_, secrets(), &metrics_, &log_});
  reviews_ = std::make_unique<review::Reviews>(*store_, guard_, clock, loop_.random());
  const auto holder = [this](const TenantId& tenant, const std::string& id) {
    return name_of_key(*identity_, tenant, id);
  };
  reviews_->know_holders(holder);
  models_->know_holders(holder);
  models_->read_rows(app::correction_rows(reviews_.get()));
}

void World::build_ways() {
  workflow::register_all_functions(functions_);
  workflow::EngineServices services;
  services.store = store_.get();
  services.functions.guard = &guard_;
  services.functions.gateway = gateway_.get();
  services.functions.hosted = hosted_.get();
  services.functions.connectors = connectors_.get();
  services.functions.reviews = reviews_.get();
  services.functions.knowledge = &knowledge_;
  services.functions.clock = &loop_.clock();
  services.functions.form = [this](const TenantId& tenant, std::string_view name) {
    return deployments_->form(tenant, name);
  };
  services.shard_of = [this](std::string_view) -> runtime::Executor& { return loop_; };
  services.timers = &loop_;
  services.metrics = &metrics_;
  services.log = &log_;
  services.held = [this](const TenantId& tenant) { return deployments_->failure(tenant); };
  services.subscribed = [this](const TenantId& tenant, std::string_view type,
                               std::string_view source) {
    return deliveries_->subscribed(tenant, type, source);
  };
  engine_ = std::make_unique<workflow::Engine>(std::move(services));

  bundle::DeploymentServices deployment;
  deployment.store = store_.get();
  deployment.guard = &guard_;
  deployment.connectors = connectors_.get();
  deployment.engine = engine_.get();
  deployment.functions = &functions_;
  deployment.knowledge = &knowledge_;
  deployment.models = models_.get();
  deployment.hosted = hosted_.get();
  deployment.budgets = &budgets_;
  deployment.deliveries = deliveries_.get();
  app::wire_sources(sources_, secrets(), "", &deployment);
  deployments_ = std::make_unique<bundle::Deployments>(std::move(deployment));

  ingress::IngressServices events;
  events.store = store_.get();
  events.guard = &guard_;
  events.engine = engine_.get();
  events.metrics = &metrics_;
  events.log = &log_;
  events.held = [this](const TenantId& tenant) { return deployments_->failure(tenant); };
  events.sources = &sources_;
  ingress_ = std::make_unique<ingress::Ingress>(std::move(events));
  outbox_ = std::make_unique<ingress::OutboxSource>(*store_, *ingress_, log_);
  outbox_->hand_on({.subscribed =
                        [this](const TenantId& tenant, const ingress::Event& event) {
                          return deliveries_->subscribed(tenant, event.type, event.source);
                        },
                    .wanted =
                        [this](Context ctx, std::string type) {
                          return engine_->wanted(std::move(ctx), std::move(type));
                        },
                    .take =
                        [this](Context ctx, store::OutboxRow row) {
                          return deliveries_->take(std::move(ctx), std::move(row));
                        }});
}

void World::mount(const std::string& folder) {
  ingress::SourceServices source;
  source.ingress = ingress_.get();
  source.sources = &sources_;
  source.store = store_.get();
  source.router = &router_;
  source.log = &log_;
  source.pool = &pool_;
  source.secret = secrets();
  source.admit = [this](const Context& ctx, const net::Request& request) -> Result<Context> {
    auto caller = api::admit(*identity_, ctx, request);
    auto allowed = caller.ok() ? govern::Identity::allow(*caller, govern::Action::send_events)
                               : Result<void>();
    return allowed.ok() ? std::move(caller) : Result<Context>(std::move(allowed).error());
  };
  source.authenticate = source.admit;
  ingress::SourceRegistry kinds;
  ingress::register_all_sources(kinds);
  for (const auto& entry : kinds.entries()) {
    if (entry.mount != nullptr) {
      entry.mount(source);
    }
  }
  api::ApiServices services;
  services.store = store_.get();
  services.guard = &guard_;
  services.identity = identity_.get();
  services.tenants = tenants_.get();
  services.audit = audit_.get();
  services.budgets = &budgets_;
  services.models = models_.get();
  services.gateway = gateway_.get();
  services.connectors = connectors_.get();
  services.deliveries = deliveries_.get();
  services.reviews = reviews_.get();
  services.engine = engine_.get();
  services.deployments = deployments_.get();
  services.ingress = ingress_.get();
  services.metrics = &metrics_;
  services.router = &router_;
  services.doctor = [](Context) -> Task<Result<Json>> { co_return Json(JsonObject()); };
  services.ready = &ready_;
  services.damaged = &damaged_;
  services.pool = &pool_;
  services.data = folder;
  api::mount_api(router_, services);
}

/// Until nothing is left to do at this time, here and in the pool.
void World::settle() {
  for (;;) {
    const std::uint64_t before = loop_.posted();
    loop_.advance(Duration(0));
    std::promise<void> reached;
    std::future<void> end = reached.get_future();
    if (pool_.try_post([&reached] { reached.set_value(); })) {
      end.wait();  // what was asked of it before is done
    }
    if (loop_.posted() == before) {
      return;
    }
  }
}

void World::advance_until(const std::atomic<bool>& done) {
  const Instant end = loop_.clock().instant() + answer_max;
  settle();
  while (!done) {
    AIOS_ASSERT(loop_.clock().instant() < end);
    loop_.advance(quantum);
    settle();
  }
}

void World::wait_until(Duration since_start) {
  const Instant end = start_ + since_start;
  for (settle(); loop_.clock().instant() < end; settle()) {
    loop_.advance(std::min<Duration>(quantum, end - loop_.clock().instant()));
  }
}

net::Response World::ask(const Ask& ask) {
  net::Request request;
  request.method = ask.method;
  request.target = ask.target;
  request.body = ask.body;
  request.peer = "192.0.2.7:4711";
  must(net::parse_target(request.target, &request));
  if (!ask.key.empty()) {
    request.headers.add("authorization", "Bearer " + ask.key);
  }
  for (const auto& [name, value] : ask.headers) {
    request.headers.add(name, value);
  }
  return run(router_.dispatch(Context(), std::move(request)));
}

std::string World::make_tenant(const std::string& name) {
  Ask wanted{"POST",
             "/api/v1/tenants",
             first_key_,
             to_text(JsonObject{{"name", name}, {"region", "eu"}}),
             {}};
  const auto made = ask(wanted);
  const Json answer = must(parse_json(made.body));
  const Json* key = find(answer, "key");
  return std::string(text_or(key == nullptr ? answer : *key, "secret", ""));
}

void World::set_down(const std::string& tenant, bool down) {
  outside_.set_down(must(TenantId::parse(tenant)), down);
}

}  // namespace aios::tenants

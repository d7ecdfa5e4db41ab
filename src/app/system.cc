// SPDX-License-Identifier: Apache-2.0
#include "app/system.h"
#include "app/correction_rows.h"

#include "api/api.h"
#include "app/descriptors.h"
#include "app/detail/system_impl.h"
#include "app/secrets.h"
#include "app/sources.h"
#include "app/stop_bound.h"
#include "app/tenant_reach.h"
#include "observe/metric_table.h"
#include "runtime/one_shot.h"
#include "store/restored.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace aios::app {
namespace {

constexpr auto runs_grace_min = std::chrono::seconds(1);
constexpr auto stop_rest = std::chrono::seconds(10);  // for what comes after the drain
constexpr auto last_words = std::chrono::seconds(1);

}  // namespace

Context SystemImpl::local_context() const {
  Context ctx = system_context(default_tenant(), "command-line");
  auto principal = std::make_shared<Principal>();
  principal->id = "system:command-line";
  principal->kind = "system";
  principal->roles = govern::Identity::role_names();
  ctx.principal = principal;
  return ctx;
}

/// Models of somebody else's, and what may be paid for them.
void SystemImpl::build_hosted() {
  gateway::HostedServices services;
  services.guard = &guard_;
  services.budgets = &budgets_;
  services.client = client_.get();
  services.secret = secret_source(options_.data);
  services.metrics = &metrics_;
  services.clock = &runtime::system_clock();
  hosted_ = std::make_unique<gateway::Hosted>(std::move(services));
  money_ = std::make_unique<MoneyWatch>(*store_, budgets_, runtime::system_clock(), metrics_);
}

/// It reads the system's authorities, some 30 ms of CPU: beside the opening of the store, which
/// waits for the disk.
void SystemImpl::make_client() {
  auto made = std::make_shared<std::promise<std::unique_ptr<net::Client>>>();
  made_client_ = made->get_future();
  const bool posted = pool_.try_post([this, made] {  // the pool is stopped before this ends
    made->set_value(net::make_client(shards_, client_options(options_)));
  });
  AIOS_ASSERT(posted);  // the first call of all
}

void SystemImpl::build_rooms() {
  client_ = hold_tenants(made_client_.get(), options_.private_tenants);
  runtime::Clock& clock = runtime::system_clock();
  runtime::Random& random = runtime::system_random();
  tenants_ = std::make_unique<govern::Tenants>(*store_, guard_, clock);
  identity_ = std::make_unique<govern::Identity>(*store_, clock);
  models_ = std::make_unique<models::Models>(*store_, guard_, pool_, clock);
  gateway_ = std::make_unique<gateway::Gateway>(guard_, *models_, metrics_, clock);
  build_hosted();
  connectors_ = std::make_unique<connectors::Connectors>(
      guard_, *client_, secret_source(options_.data), metrics_, clock);
  deliveries_ = std::make_unique<connectors::Deliveries>(connectors::DeliveryServices{
      store_.get(), &guard_, client_.get(), secret_source(options_.data), &metrics_, &log_});
  reviews_ = std::make_unique<review::Reviews>(*store_, guard_, clock, random);
  models_->read_rows(correction_rows(reviews_.get()));
  growth_ = std::make_unique<Growth>(options_.data + "/disk-growth.jsonl");
  retention_ = std::make_unique<Retention>(*store_, metrics_, log_, options_.keep);
  const auto holder = [this](const TenantId& tenant, const std::string& principal) {
    const auto keys = identity_->list(tenant);
    const auto key = std::find_if(keys.begin(), keys.end(),
                                  [&](const govern::KeyInfo& one) { return one.id == principal; });
    return key == keys.end() ? std::string() : key->name;
  };
  reviews_->know_holders(holder);
  models_->know_holders(holder);
  work_ = std::make_unique<WorkWatch>(*store_, *reviews_, *audit_, clock, metrics_);
  build_engine();
  build_ways();
}

void SystemImpl::build_engine() {
  workflow::register_all_functions(functions_);
  workflow::EngineServices services;
  services.store = store_.get();
  services.functions.guard = &guard_;
  services.functions.gateway = gateway_.get();
  services.functions.hosted = hosted_.get();
  services.functions.connectors = connectors_.get();
  services.functions.reviews = reviews_.get();
  services.functions.knowledge = &knowledge_;
  services.functions.clock = &runtime::system_clock();
  services.functions.form = [this](const TenantId& tenant, std::string_view name) {
    return deployments_->form(tenant, name);
  };
  services.shard_of = [this](std::string_view id) -> runtime::Executor& { return shards_.of(id); };
  services.timers = &shards_.at(0);
  services.metrics = &metrics_;
  services.log = &log_;
  services.restored_through = restored_;
  services.held = [this](const TenantId& tenant) { return deployments_->failure(tenant); };
  services.subscribed = [this](const TenantId& tenant, std::string_view type,
                               std::string_view source) {
    return deliveries_->subscribed(tenant, type, source);
  };
  engine_ = std::make_unique<workflow::Engine>(std::move(services));

  bundle::DeploymentServices deployment{store_.get(),  &guard_,      connectors_.get(),
                                        engine_.get(), &functions_,  &knowledge_,
                                        &pool_,        models_.get()};
  deployment.hosted = hosted_.get();
  deployment.budgets = &budgets_;
  deployment.deliveries = deliveries_.get();
  deployment.learnt = &learnt_;
  wire_sources(sources_, secret_source(options_.data), options_.watch_root, &deployment);
  deployments_ = std::make_unique<bundle::Deployments>(std::move(deployment));
  metrics_.gauge(observe::metric("aios_tenants_held"),
                 [this] { return static_cast<double>(deployments_->failed().size()); });
}

/// In and out.
void SystemImpl::build_ways() {
  ingress_ = std::make_unique<ingress::Ingress>(ingress::IngressServices{
      store_.get(), &guard_, engine_.get(), &metrics_, &log_,
      [this](const TenantId& tenant) { return deployments_->failure(tenant); }, &sources_});
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

Task<void> SystemImpl::count_for_metrics(Context ctx) {
  auto work = work_->look(ctx);
  co_await std::move(work);
  auto money = money_->look(std::move(ctx));
  co_await std::move(money);
}

ingress::SourceServices SystemImpl::source_services() {
  ingress::SourceServices source;
  source.ingress = ingress_.get();
  source.sources = &sources_;
  source.store = store_.get();
  source.router = &router_;
  source.log = &log_;
  source.pool = &pool_;
  source.secret = secret_source(options_.data);
  source.watch_root = options_.watch_root;
  const auto may_send = [](Result<Context> caller) -> Result<Context> {
    auto allowed = caller.ok() ? govern::Identity::allow(*caller, govern::Action::send_events)
                               : Result<void>();
    return allowed.ok() ? std::move(caller) : Result<Context>(std::move(allowed).error());
  };
  source.authenticate = [this, may_send](const Context& ctx, const net::Request& request) {
    return may_send(api::authenticate(*identity_, ctx, request));
  };
  source.admit = [this, may_send](const Context& ctx, const net::Request& request) {
    return may_send(api::admit(*identity_, ctx, request));
  };
  return source;
}

void SystemImpl::mount() {
  ingress::SourceRegistry sources;
  ingress::register_all_sources(sources);
  const ingress::SourceServices source = source_services();
  for (const auto& entry : sources.entries()) {
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
  services.before_metrics = [this](Context ctx) { return count_for_metrics(std::move(ctx)); };
  services.doctor = [this](Context ctx) { return examine_itself(std::move(ctx)); };
  services.forget_key_file = [this](Context ctx) { return forget_first_key(std::move(ctx)); };
  services.ready = &ready_;
  services.damaged = &watch_->damaged();
  services.failed = [this](const Error& error) { watch_->met(error); };
  services.pool = &pool_;
  services.data = options_.data;
  services.backups = options_.backups;
  api::mount_api(router_, services);
}

net::ServerOptions SystemImpl::server_options() {
  net::ServerOptions server;
  server.host = options_.host;
  server.port = options_.port;
  server.tls = tls_;
  server.metrics = &metrics_;
  server.connections_max = connections_for(raise_descriptor_limit());
  return server;
}

/// Before anything is made: an address that cannot be had leaves no new data directory behind.
Result<void> SystemImpl::check_address() {
  std::error_code failed;
  if (!options_.listen || std::filesystem::exists(options_.data + "/journal.db", failed)) {
    return {};
  }
  const net::Router nothing;
  net::ServerOptions server = server_options();
  server.metrics = nullptr;
  auto started = net::start_server(shards_, nothing, server);
  return started.ok() ? Result<void>() : Result<void>(std::move(started).error());
}

Result<void> SystemImpl::listen() {
  auto started = net::start_server(shards_, router_, server_options());
  if (!started.ok()) {
    return std::move(started).error();
  }
  server_ = std::move(*started);
  return {};
}

Result<void> SystemImpl::start() {
  if (auto certificate = load_certificate(); !certificate.ok()) {
    return certificate;
  }
  if (auto address = check_address(); !address.ok()) {
    return address;
  }
  store::StoreOptions store;
  store.directory = options_.data;
  store.engine = options_.engine;
  auto opened = store::open_store(store, runtime::system_clock());
  if (!opened.ok()) {
    return std::move(opened).error();
  }
  store_ = std::move(*opened);
  watch_ = std::make_unique<StoreWatch>(*store_, log_, metrics_);
  metrics_.gauge(observe::metric("aios_log_lines_dropped"),
                 [lines = lines_] { return static_cast<double>(lines->dropped()); });
  if (auto opened_log = open_audit(); !opened_log.ok()) {
    return opened_log;
  }
  auto restored = store::restored_through(options_.data);
  if (!restored.ok()) {
    return std::move(restored).error();
  }
  restored_ = *restored;
  if (auto behind = doubt_store(); !behind.ok()) {
    return behind;
  }
  build_rooms();
  mount();
  auto loaded = shards_.run(0, load());
  if (!loaded.ok()) {
    return loaded;
  }
  ready_ = true;
  auto listening = options_.listen ? listen() : Result<void>();
  if (listening.ok()) {
    shards_.run(0, begin_background());
  }
  return listening;
}

/// @return how many runs nothing could end
std::uint64_t SystemImpl::stop_runs(Instant end) {
  const Duration rest = end - runtime::system_clock().instant();
  auto stopped = shards_.run(0, engine_->stop_within(std::max<Duration>(rest, runs_grace_min)));
  if (stopped.cut > 0) {
    log_.write(observe::Level::warn, "app",
               "calls were cut at the drain deadline: the next start goes on with their runs",
               {{"runs", stopped.cut}});
  }
  return stopped.left;
}

/// What was committed is durable at any time: the next start goes on from there.
void SystemImpl::end_process(const std::string& why, const JsonObject& fields) {
  log_.write(observe::Level::error, "app", why, fields);
  lines_->flush(last_words);
  std::_Exit(1);
}

Result<void> SystemImpl::stop(Duration grace) {
  if (stopped_) {
    return {};
  }
  stopped_ = true;
  ready_ = false;
  std::optional<StopBound> bound;
  if (options_.listen) {
    bound.emplace(grace + stop_rest,
                  [this] { end_process("the stop takes too long: the process ends at once", {}); });
  }
  const Instant end = runtime::system_clock().instant() + grace;
  if (server_) {
    server_->stop(grace);
  }
  const std::uint64_t left = engine_ ? stop_runs(end) : 0;
  stopping_->cancel();
  if (background_) {
    shards_.run(0, background_->join());
  }
  Result<void> result;
  if (store_ && audit_) {
    auto folded = shards_.run(0, audit_->fold(*store_));
    if (!folded.ok()) {
      result = std::move(folded).error();
    }
  }
  if (store_) {
    auto closed = store_->close();
    if (!closed.ok()) {
      result = std::move(closed).error();
    }
  }
  if (left > 0) {  // their coroutines cannot be ended, and use what would be destroyed
    end_process("runs heed no cancellation: the process ends at once", {{"runs", left}});
  }
  shards_.stop();
  pool_.stop();  // its calls use the rooms
  return result;
}

Result<std::unique_ptr<System>> System::open(const SystemOptions& options) {
  auto system = std::make_unique<SystemImpl>(options);
  auto started = system->start();
  if (!started.ok()) {
    return std::move(started).error();
  }
  return std::unique_ptr<System>(std::move(system));
}

}  // namespace aios::app

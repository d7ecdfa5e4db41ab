// SPDX-License-Identifier: Apache-2.0
#include "app/system.h"

#include "api/api.h"
#include "app/descriptors.h"
#include "app/secrets.h"
#include "app/store_watch.h"
#include "bundle/deployments.h"
#include "connectors/connectors.h"
#include "core/text.h"
#include "data/knowledge.h"
#include "gateway/gateway.h"
#include "govern/audit.h"
#include "govern/guard.h"
#include "govern/identity.h"
#include "ingress/ingress.h"
#include "ingress/outbox.h"
#include "models/models.h"
#include "net/client.h"
#include "net/server.h"
#include "observe/metrics.h"
#include "review/review.h"
#include "runtime/one_shot.h"
#include "runtime/task_group.h"
#include "store/restored.h"
#include "store/store.h"
#include "workflow/engine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>

namespace aios::app {
namespace {

constexpr auto audit_period = std::chrono::seconds(1);
constexpr auto runs_grace_min = std::chrono::seconds(1);

Error cannot_write(const std::string& path) {
  const int number = errno;
  return Error(number == ENOSPC ? Code::resource_exhausted : Code::permission_denied,
               fmt::format("cannot write {}: {}", path, std::generic_category().message(number)))
      .page(1403);
}

bool sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) {
    ::close(fd);
  }
  return synced;
}

/// Readable by its owner alone, whole, and durable before the caller goes on; what was there is
/// replaced.
Result<void> write_private_file(const std::string& folder, std::string_view name,
                                std::string_view text) {
  const std::string path = fmt::format("{}/{}", folder, name);
  const std::string part = path + ".tmp";
  ::unlink(part.c_str());  // of a start that ended early, perhaps with another mode
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    return cannot_write(part);
  }
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool synced = written && ::fsync(fd) == 0;
  ::close(fd);
  if (!synced || ::rename(part.c_str(), path.c_str()) != 0) {
    auto failed = cannot_write(path);
    ::unlink(part.c_str());
    return failed;
  }
  return sync_folder(folder) ? Result<void>() : cannot_write(path);
}

class SystemImpl final : public System {
 public:
  explicit SystemImpl(const SystemOptions& options)
      : options_(options),
        log_(observe::stderr_sink(), options.log_level),
        shards_(options.shards),
        pool_(2),
        client_(net::make_client(shards_, {})) {}

  ~SystemImpl() override {
    if (!stopped_) {
      auto stopped = stop(std::chrono::seconds(5));
      if (!stopped.ok()) {
        log_.error("app", stopped.error());
      }
    }
  }

  Result<void> start();
  Result<void> stop(Duration grace) override;
  std::uint16_t port() const override { return server_ ? server_->port() : 0; }
  const std::string& first_key_file() const override { return first_key_file_; }
  runtime::Shards& shards() override { return shards_; }
  const net::Router& router() const override { return router_; }
  Context local_context() const override;

 private:
  void build_rooms();
  void mount();
  Task<Result<void>> load();
  Task<Result<void>> make_first_key(Context ctx);
  Task<Result<void>> recover_runs(Context ctx);
  Task<void> keep_audit_folded();
  Result<void> open_audit();
  void find_first_key();
  Result<void> listen();
  std::uint64_t stop_runs(Instant end);

  SystemOptions options_;
  observe::Log log_;
  observe::Metrics metrics_;
  runtime::Shards shards_;
  runtime::BlockingPool pool_;
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<StoreWatch> watch_;
  govern::Guard guard_;
  std::unique_ptr<govern::Identity> identity_;
  std::unique_ptr<govern::AuditLog> audit_;
  std::unique_ptr<models::Models> models_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<connectors::Connectors> connectors_;
  std::unique_ptr<review::Reviews> reviews_;
  data::Knowledge knowledge_;
  workflow::FunctionRegistry functions_;
  std::unique_ptr<workflow::Engine> engine_;
  std::unique_ptr<bundle::Deployments> deployments_;
  std::unique_ptr<ingress::Ingress> ingress_;
  std::unique_ptr<ingress::OutboxSource> outbox_;
  net::Router router_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<runtime::TaskGroup> background_;
  std::shared_ptr<CancelState> stopping_ = std::make_shared<CancelState>();
  std::atomic<bool> ready_{false};
  std::string first_key_file_;
  std::optional<Time> restored_;  ///< the data come from a backup with this newest commit
  bool recovered_ = false;        ///< on shard 0: parked runs go on
  bool stopped_ = false;
};

Context SystemImpl::local_context() const {
  Context ctx = system_context(default_tenant(), "command-line");
  auto principal = std::make_shared<Principal>();
  principal->id = "system:command-line";
  principal->kind = "system";
  principal->roles = {"admin", "reviewer", "auditor"};
  ctx.principal = principal;
  return ctx;
}

void SystemImpl::build_rooms() {
  runtime::Clock& clock = runtime::system_clock();
  runtime::Random& random = runtime::system_random();
  guard_.set_region(default_tenant(), options_.region);
  identity_ = std::make_unique<govern::Identity>(*store_, clock);
  models_ = std::make_unique<models::Models>(*store_, guard_, pool_, clock);
  gateway_ = std::make_unique<gateway::Gateway>(guard_, *models_, metrics_, clock);
  connectors_ = std::make_unique<connectors::Connectors>(
      guard_, *client_, secret_source(options_.data), metrics_, clock);
  reviews_ = std::make_unique<review::Reviews>(*store_, guard_, clock, random);
  workflow::register_all_functions(functions_);

  workflow::EngineServices services;
  services.store = store_.get();
  services.functions.guard = &guard_;
  services.functions.gateway = gateway_.get();
  services.functions.connectors = connectors_.get();
  services.functions.reviews = reviews_.get();
  services.functions.knowledge = &knowledge_;
  services.functions.clock = &clock;
  services.functions.form = [this](const TenantId& tenant, std::string_view name) {
    return deployments_->form(tenant, name);
  };
  services.shard_of = [this](std::string_view id) -> runtime::Executor& { return shards_.of(id); };
  services.timers = &shards_.at(0);
  services.metrics = &metrics_;
  services.log = &log_;
  services.restored_through = restored_;
  engine_ = std::make_unique<workflow::Engine>(std::move(services));

  deployments_ = std::make_unique<bundle::Deployments>(bundle::DeploymentServices{
      store_.get(), &guard_, connectors_.get(), engine_.get(), &functions_, &knowledge_, &pool_,
      models_.get()});
  ingress_ = std::make_unique<ingress::Ingress>(ingress::IngressServices{
      store_.get(), &guard_, engine_.get(), &metrics_, &log_,
      [this](const TenantId& tenant) { return deployments_->failure(tenant); }});
  outbox_ = std::make_unique<ingress::OutboxSource>(*store_, *ingress_, log_);
}

void SystemImpl::mount() {
  ingress::SourceRegistry sources;
  ingress::register_all_sources(sources);
  ingress::SourceServices source;
  source.ingress = ingress_.get();
  source.router = &router_;
  source.authenticate = [this](const Context& ctx, const net::Request& request) -> Result<Context> {
    auto caller = api::authenticate(*identity_, ctx, request);
    if (!caller.ok()) {
      return caller;
    }
    auto allowed = govern::Identity::allow(*caller->principal, govern::Action::send_events);
    if (!allowed.ok()) {
      return std::move(allowed).error();
    }
    return caller;
  };
  for (const auto& entry : sources.entries()) {
    entry.mount(source);
  }
  api::ApiServices services;
  services.store = store_.get();
  services.guard = &guard_;
  services.identity = identity_.get();
  services.audit = audit_.get();
  services.models = models_.get();
  services.gateway = gateway_.get();
  services.connectors = connectors_.get();
  services.reviews = reviews_.get();
  services.engine = engine_.get();
  services.deployments = deployments_.get();
  services.ingress = ingress_.get();
  services.metrics = &metrics_;
  services.router = &router_;
  services.ready = &ready_;
  services.damaged = &watch_->damaged();
  services.failed = [this](const Error& error) { watch_->met(error); };
  services.pool = &pool_;
  services.data = options_.data;
  api::mount_api(router_, services);
}

// The file comes first: a start that ends between the two leaves a file that opens nothing, and the
// next start, which finds no key, replaces it. The other way round nobody would ever know the key.
Task<Result<void>> SystemImpl::make_first_key(Context ctx) {
  std::string secret = govern::Identity::new_secret();
  auto written = write_private_file(options_.data, "first-key", secret + "\n");
  if (!written.ok()) {
    co_return std::move(written).error();
  }
  std::vector<std::string> roles = {"admin"};
  auto made =
      co_await identity_->create_with(ctx, "first key", std::move(roles), std::move(secret));
  if (!made.ok()) {
    co_return std::move(made).error();
  }
  co_return Result<void>();
}

/// Told of at every start while it opens the door: a start may fail after it was made.
void SystemImpl::find_first_key() {
  const std::string path = options_.data + "/first-key";
  std::ifstream file(path);
  std::string secret;
  if (std::getline(file, secret) && identity_->authenticate(trim(secret)).ok()) {
    first_key_file_ = path;
  }
}

Task<Result<void>> SystemImpl::load() {
  const Context ctx = system_context(default_tenant(), "start");
  auto keys = co_await identity_->load(ctx);
  if (!keys.ok()) {
    co_return std::move(keys).error().with("loading API keys");
  }
  auto models = co_await models_->load(ctx);
  if (!models.ok()) {
    co_return std::move(models).error().with("loading models");
  }
  auto deployed = co_await deployments_->load(ctx);
  if (!deployed.ok()) {
    co_return std::move(deployed).error().with("loading deployments");
  }
  for (const Error& error :
       *deployed) {  // the server starts all the same, so that it can be mended
    log_.error("bundle", error);
  }
  auto tenants = co_await store_->tenants_with_leaves(ctx);
  if (!tenants.ok()) {
    co_return std::move(tenants).error();
  }
  warn_missing_secrets(*connectors_, *tenants, log_);
  if (identity_->count() == 0 && audit_->size(default_tenant()) > 0) {
    co_return Error(Code::data_loss,
                    fmt::format("the audit log has {} signed leaves, but the store is empty: its "
                                "files were lost or replaced; restore a backup",
                                audit_->size(default_tenant())))
        .page(1414);
  }
  if (identity_->count() == 0 && options_.runs == Runs::rest) {
    co_return Error(Code::failed_precondition,
                    fmt::format("no server was ever started on '{}': it has no key yet; start one "
                                "with 'aios serve --data {}'",
                                options_.data, options_.data))
        .page(1418);
  }
  if (identity_->count() == 0) {
    auto made = co_await make_first_key(ctx);
    if (!made.ok()) {
      co_return std::move(made).error().with("making the first key");
    }
  }
  find_first_key();
  background_ = std::make_unique<runtime::TaskGroup>(shards_.at(0));
  background_->spawn(keep_audit_folded());
  if (options_.runs == Runs::rest) {
    co_return Result<void>();
  }
  if (!deployments_->failed()) {
    auto recovered = co_await recover_runs(ctx);
    if (!recovered.ok()) {
      co_return recovered;
    }
  }
  Context outbox = system_context(default_tenant(), "outbox");
  outbox.cancel = stopping_;
  background_->spawn(outbox_->run(std::move(outbox)));
  co_return Result<void>();
}

/// Not before every tenant has its bundle: a parked run that goes on without policies is refused
/// for good.
Task<Result<void>> SystemImpl::recover_runs(Context ctx) {
  recovered_ = true;
  auto recovered = co_await engine_->recover(std::move(ctx));
  if (!recovered.ok()) {
    co_return std::move(recovered).error().with("recovering runs");
  }
  co_return Result<void>();
}

Task<void> SystemImpl::keep_audit_folded() {
  Context ctx = system_context(default_tenant(), "audit");
  ctx.cancel = stopping_;
  while (!stopping_->cancelled()) {
    auto folded = co_await audit_->fold(*store_);
    if (!folded.ok()) {
      log_.error("audit", folded.error());
    }
    watch_->saw(folded);
    watch_->look();
    if (!recovered_ && options_.runs == Runs::advance && ready_ && !deployments_->failed()) {
      auto recovered = co_await recover_runs(ctx);
      if (!recovered.ok()) {
        log_.error("app", recovered.error());
        recovered_ = false;
      }
    }
    auto rested = co_await runtime::sleep_for(ctx, audit_period);
    if (!rested.ok()) {
      break;
    }
  }
}

Result<void> SystemImpl::listen() {
  net::ServerOptions server;
  server.host = options_.host;
  server.port = options_.port;
  server.metrics = &metrics_;
  server.connections_max = connections_for(raise_descriptor_limit());
  auto started = net::start_server(shards_, router_, server);
  if (!started.ok()) {
    return std::move(started).error();
  }
  server_ = std::move(*started);
  return {};
}

Result<void> SystemImpl::open_audit() {
  auto tenants =
      shards_.run(0, store_->tenants_with_leaves(system_context(default_tenant(), "audit")));
  if (!tenants.ok()) {
    return std::move(tenants).error();
  }
  auto settled = settle_audit_key(options_.data, !tenants->empty(), options_.lost_audit_key);
  if (!settled.ok()) {
    return settled;
  }
  auto audit = govern::AuditLog::open(audit_folder(options_.data), audit_key_file(options_.data),
                                      new_audit_origin(), &pool_);
  if (!audit.ok()) {
    return std::move(audit).error();
  }
  audit_ = std::move(*audit);
  return {};
}

Result<void> SystemImpl::start() {
  store::StoreOptions store;
  store.directory = options_.data;
  store.engine = options_.engine;
  auto opened = store::open_store(store, runtime::system_clock());
  if (!opened.ok()) {
    return std::move(opened).error();
  }
  store_ = std::move(*opened);
  watch_ = std::make_unique<StoreWatch>(*store_, log_, metrics_);
  if (auto opened_log = open_audit(); !opened_log.ok()) {
    return opened_log;
  }
  auto restored = store::restored_through(options_.data);
  if (!restored.ok()) {
    return std::move(restored).error();
  }
  restored_ = *restored;
  build_rooms();
  mount();
  auto loaded = shards_.run(0, load());
  if (!loaded.ok()) {
    return loaded;
  }
  ready_ = true;
  return options_.listen ? listen() : Result<void>();
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

Result<void> SystemImpl::stop(Duration grace) {
  if (stopped_) {
    return {};
  }
  stopped_ = true;
  ready_ = false;
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
    log_.write(observe::Level::error, "app", "runs heed no cancellation: the process ends at once",
               {{"runs", left}});
    std::_Exit(1);
  }
  shards_.stop();
  pool_.stop();  // its calls use the rooms
  return result;
}

}  // namespace

Result<std::unique_ptr<System>> System::open(const SystemOptions& options) {
  auto system = std::make_unique<SystemImpl>(options);
  auto started = system->start();
  if (!started.ok()) {
    return std::move(started).error();
  }
  return std::unique_ptr<System>(std::move(system));
}

}  // namespace aios::app

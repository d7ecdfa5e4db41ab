// SPDX-License-Identifier: Apache-2.0
#include "app/system.h"

#include "api/api.h"
#include "app/descriptors.h"
#include "app/detail/system_impl.h"
#include "app/secrets.h"
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
  Ground ground;
  ground.store = store_.get();
  ground.audit = audit_.get();
  ground.clock = &runtime::system_clock();
  ground.random = &runtime::system_random();
  ground.pool = &pool_;
  ground.shard_of = [this](std::string_view id) -> runtime::Executor& { return shards_.of(id); };
  ground.timers = &shards_.at(0);
  ground.client = client_.get();
  ground.secret = secret_source(options_.data);
  ground.metrics = &metrics_;
  ground.log = &log_;
  ground.watch_root = options_.watch_root;
  ground.restored_through = restored_;
  rooms_ = std::make_unique<Rooms>(std::move(ground));
  growth_ = std::make_unique<Growth>(options_.data + "/disk-growth.jsonl");
  retention_ = std::make_unique<Retention>(*store_, metrics_, log_, options_.keep,
                                           options_.data + "/seen-time.json");
  money_ =
      std::make_unique<MoneyWatch>(*store_, rooms_->budgets, runtime::system_clock(), metrics_);
  work_ = std::make_unique<WorkWatch>(*store_, rooms_->reviews, *audit_, runtime::system_clock(),
                                      metrics_);
}

Task<void> SystemImpl::count_for_metrics(Context ctx) {
  auto work = work_->look(ctx);
  co_await std::move(work);
  auto money = money_->look(std::move(ctx));
  co_await std::move(money);
}

void SystemImpl::mount() {
  api::ApiServices services;
  services.before_metrics = [this](Context ctx) { return count_for_metrics(std::move(ctx)); };
  services.doctor = [this](Context ctx) { return examine_itself(std::move(ctx)); };
  services.forget_key_file = [this](Context ctx) { return forget_first_key(std::move(ctx)); };
  services.ready = &ready_;
  services.damaged = &watch_->damaged();
  services.failed = [this](const Error& error) { watch_->met(error); };
  services.data = options_.data;
  services.backups = options_.backups;
  rooms_->mount(std::move(services));
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
  auto started = net::start_server(shards_, rooms_->router, server_options());
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
  auto stopped =
      shards_.run(0, rooms_->engine.stop_within(std::max<Duration>(rest, runs_grace_min)));
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
  const std::uint64_t left = rooms_ ? stop_runs(end) : 0;
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

// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include "shop.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
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

}  // namespace

World::World(const std::string& folder) : start_(loop_.clock().instant()) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  build(folder);
  start(folder);
}

World::~World() {
  run(ended(rooms_->engine.stop()));
  stopping_->cancel();
  run(ended(background_->join()));
  pool_.stop();
}

void World::build(const std::string& folder) {
  store::StoreOptions options;
  options.engine = "memory";
  options.root_key = std::string(32, 'k');
  store_ = must(store::open_memory_store(options, std::make_shared<store::MemoryDisk>(),
                                         store::MemoryThreads::inline_, loop_.clock()));
  audit_ =
      must(govern::AuditLog::open(folder + "/audit", folder + "/signing.key", "tenants.example"));
  app::Ground ground;
  ground.store = store_.get();
  ground.audit = audit_.get();
  ground.clock = &loop_.clock();
  ground.random = &loop_.random();
  ground.pool = &pool_;
  ground.shard_of = [this](std::string_view) -> runtime::Executor& { return loop_; };
  ground.timers = &loop_;
  ground.client = &outside_;
  ground.secret = secrets();
  ground.metrics = &metrics_;
  ground.log = &log_;
  rooms_ = std::make_unique<app::Rooms>(std::move(ground));
}

/// As a server does.
void World::start(const std::string& folder) {
  api::ApiServices beside;
  beside.doctor = [](Context) -> Task<Result<Json>> { co_return Json(JsonObject()); };
  beside.ready = &ready_;
  beside.damaged = &damaged_;
  beside.data = folder;
  rooms_->mount(std::move(beside));
  const Context ctx = system_context(default_tenant(), "start");
  must(run(rooms_->load(ctx, "eu")));
  std::vector<std::string> roles = {"admin"};
  first_key_ = must(run(rooms_->identity.create(ctx, "first key", std::move(roles)))).secret;
  must(run(rooms_->engine.recover(ctx)));
  background_ = std::make_unique<runtime::TaskGroup>(loop_);
  rooms_->go_on(*background_, stopping_);
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
  return run(rooms_->router.dispatch(Context(), std::move(request)));
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

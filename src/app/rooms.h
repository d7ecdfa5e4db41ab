// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/rooms: the rooms of an installation, wired to each other, in the order they are built in. A
// server has them on a data directory, tests/tenants on simulated time: which room knows which is
// said here and nowhere else. They are loaded by load(), go on by themselves from go_on(), and are
// to be stopped (the engine, then what go_on() spawned, then the pool) before they are destroyed.

#include "api/api.h"
#include "bundle/deployments.h"
#include "connectors/connectors.h"
#include "connectors/delivery.h"
#include "data/knowledge.h"
#include "gateway/gateway.h"
#include "gateway/hosted.h"
#include "govern/audit.h"
#include "govern/budget.h"
#include "govern/guard.h"
#include "govern/identity.h"
#include "govern/tenants.h"
#include "ingress/ingress.h"
#include "ingress/outbox.h"
#include "ingress/sources.h"
#include "models/models.h"
#include "net/client.h"
#include "net/http.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "review/review.h"
#include "runtime/task_group.h"
#include "store/store.h"
#include "workflow/engine.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::app {

/// What the rooms stand on; it outlives them.
struct Ground {
  store::Store* store = nullptr;
  govern::AuditLog* audit = nullptr;
  runtime::Clock* clock = nullptr;
  runtime::Random* random = nullptr;
  runtime::BlockingPool* pool = nullptr;
  /// The same executor for the same id, always. Any thread.
  std::function<runtime::Executor&(std::string_view id)> shard_of;
  runtime::Executor* timers = nullptr;  ///< where wake-ups are watched
  net::Client* client = nullptr;        ///< everything that leaves leaves by it
  connectors::SecretSource secret;
  observe::Metrics* metrics = nullptr;
  observe::Log* log = nullptr;
  std::string watch_root;                ///< folder outside which no source of a bundle reads files
  std::optional<Time> restored_through;  ///< the data come from a backup with this newest commit
};

struct Rooms {
  explicit Rooms(Ground on);
  Rooms(const Rooms&) = delete;
  Rooms& operator=(const Rooms&) = delete;

  /// The routes of sources and API.
  /// @param beside  what is not a room's: doctor, ready, damaged, data; the rooms are filled in
  void mount(api::ApiServices beside);
  /// What each room had. @param region  of the default tenant; empty: as it is recorded
  /// @return tenants' bundles that could not be installed
  Task<Result<std::vector<Error>>> load(Context ctx, std::string region);
  /// Emitted events come back in, what goes to others goes, and sources that wait for nobody run,
  /// until `stopping` is cancelled.
  void go_on(runtime::TaskGroup& group, const std::shared_ptr<CancelState>& stopping);

  Ground ground;
  govern::Guard guard;
  govern::Tenants tenants;
  govern::Identity identity;
  govern::Budgets budgets;
  models::Models models;
  gateway::Gateway gateway;
  gateway::Hosted hosted;
  connectors::Connectors connectors;
  connectors::Deliveries deliveries;
  review::Reviews reviews;
  data::Knowledge knowledge;
  bundle::Learnt learnt;
  workflow::FunctionRegistry functions;
  workflow::Engine engine;
  ingress::Sources sources;
  bundle::Deployments deployments;
  ingress::Ingress ingress;
  ingress::OutboxSource outbox;
  net::Router router;

 private:
  gateway::HostedServices hosted_services();
  workflow::EngineServices engine_services();
  bundle::DeploymentServices deployment_services();
  ingress::IngressServices ingress_services();
  ingress::SourceServices source_services();
  std::string holder_of(const TenantId& tenant, const std::string& principal) const;
};

}  // namespace aios::app

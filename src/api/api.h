// SPDX-License-Identifier: Apache-2.0
#pragma once
// api/api: the control API under /api/v1, and /openapi.json, /metrics, /healthz, /readyz. Every
// operation is one row: method, path, who may (Action), schemas, function. The OpenAPI document is
// made from the same rows.

#include "bundle/deployments.h"
#include "connectors/connectors.h"
#include "connectors/delivery.h"
#include "core/context.h"
#include "gateway/gateway.h"
#include "govern/audit.h"
#include "govern/budget.h"
#include "govern/identity.h"
#include "govern/tenants.h"
#include "ingress/ingress.h"
#include "models/models.h"
#include "net/http.h"
#include "observe/metrics.h"
#include "review/review.h"
#include "runtime/shards.h"
#include "runtime/task.h"
#include "store/store.h"
#include "workflow/engine.h"

#include <atomic>
#include <functional>
#include <string>

namespace aios::api {

struct ApiServices {
  store::Store* store = nullptr;
  govern::Guard* guard = nullptr;
  govern::Identity* identity = nullptr;
  govern::Tenants* tenants = nullptr;
  govern::AuditLog* audit = nullptr;
  const govern::Budgets* budgets = nullptr;
  models::Models* models = nullptr;
  gateway::Gateway* gateway = nullptr;
  connectors::Connectors* connectors = nullptr;
  connectors::Deliveries* deliveries = nullptr;
  review::Reviews* reviews = nullptr;
  workflow::Engine* engine = nullptr;
  bundle::Deployments* deployments = nullptr;
  ingress::Ingress* ingress = nullptr;
  observe::Metrics* metrics = nullptr;
  net::Router* router = nullptr;                      ///< for the OpenAPI document
  std::function<Task<void>(Context)> before_metrics;  ///< brings counts up to date; null: nothing
  std::function<Task<Result<Json>>(Context)> doctor;  ///< what an operator should know
  /// After a key was revoked: takes away the file that holds it. @return its path; empty: none does
  std::function<Task<std::string>(Context)> forget_key_file;
  const std::atomic<bool>* ready = nullptr;
  const std::atomic<bool>* damaged = nullptr;  ///< the data cannot be read as it was written
  std::function<void(const Error&)> failed;    ///< told what operations end with; any thread
  runtime::BlockingPool* pool = nullptr;       ///< for calls that wait for the disk
  std::string data;                            ///< the data directory: where no backup may go
  std::string backups;                         ///< the folder where backups go; empty: anywhere
};

/// Adds every route. The services must outlive the router's last request.
void mount_api(net::Router& router, const ApiServices& services);

/// The caller of a request: ctx's own principal when it has one (a caller in this process), else
/// the bearer key. unauthenticated [AIOS-0510, 0563].
Result<Context> authenticate(const govern::Identity& identity, const Context& ctx,
                             const net::Request& request);

/// The same where a request begins, once: it counts against the key's rate. rate_limited
/// [AIOS-0564].
Result<Context> admit(const govern::Identity& identity, const Context& ctx,
                      const net::Request& request);

/// OpenAPI 3.1 document of the router's described routes.
Json openapi_document(const net::Router& router);

}  // namespace aios::api

// SPDX-License-Identifier: Apache-2.0
#pragma once
// scenario/detail/rooms: a server's rooms on simulated time and a store in memory, with scripted
// systems and models outside.

#include "bundle/deployments.h"
#include "connectors/connectors.h"
#include "gateway/gateway.h"
#include "gateway/hosted.h"
#include "govern/budget.h"
#include "govern/guard.h"
#include "ingress/ingress.h"
#include "ingress/sources.h"
#include "review/review.h"
#include "runtime/sim.h"
#include "scenario/detail/outside.h"
#include "store/memory.h"
#include "workflow/engine.h"

#include <memory>

namespace aios::scenario {

struct Rooms {
  /// What the scenario tells models and systems; may be null.
  /// @param learnt  what was learnt of articles; null: the bundle's articles are not loaded.
  Rooms(const Json* models, const Json* systems, bundle::Learnt* learnt);
  ~Rooms();
  Rooms(const Rooms&) = delete;
  Rooms& operator=(const Rooms&) = delete;
  /// Deploys the bundle as a server does. @return all that is wrong with it.
  std::vector<Error> deploy(const bundle::Files& files, const JsonObject& parameters);
  /// A caller in the tenant with these roles.
  Context caller(std::string_view name, const std::vector<std::string>& roles) const;

  Unscripted unscripted;
  runtime::SimExecutor executor;
  ScriptedSystems systems;
  observe::Metrics metrics;
  std::unique_ptr<store::Store> store;
  govern::Guard guard;
  runtime::BlockingPool pool{1};
  std::unique_ptr<models::Models> registry;  ///< empty: the scripted models serve
  std::unique_ptr<gateway::Gateway> gateway;
  govern::Budgets budgets;
  std::unique_ptr<gateway::Hosted> hosted;
  std::unique_ptr<connectors::Connectors> connectors;
  std::unique_ptr<review::Reviews> reviews;
  data::Knowledge knowledge;
  workflow::FunctionRegistry functions;
  std::unique_ptr<workflow::Engine> engine;
  ingress::Sources sources;
  std::unique_ptr<bundle::Deployments> deployments;
  std::unique_ptr<ingress::Ingress> ingress;
};

}  // namespace aios::scenario

// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/deployments: which bundle a tenant runs. A deployment is content-addressed (blob +
// digest), atomic (one commit makes it current) and versioned; one bundle a tenant. What takes time
// (checking, learning, compiling) is done on the pool. Threading: any executor; a tenant's
// deployments come one after the other.

#include "bundle/aliases.h"
#include "bundle/bundle.h"
#include "bundle/learnt.h"
#include "bundle/plan.h"
#include "connectors/delivery.h"
#include "core/context.h"
#include "core/staged.h"
#include "data/knowledge.h"
#include "runtime/shards.h"
#include "runtime/task.h"
#include "store/store.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aios::bundle {

struct DeploymentInfo {
  std::string name, version, digest, by;
  std::uint64_t number = 0;  ///< counts deployments of the tenant
  JsonObject parameters;     ///< all of them, with the bundle's defaults
  JsonObject set;            ///< those that were set, in this deployment or one before it
  std::vector<ParameterChange> changes;  ///< against the deployment before; not kept
  std::optional<Plan> plan;              ///< what was changed, part by part; not kept
  Time at;
  bool changed = true;  ///< false: the same runs already with the same set, nothing was committed
  std::vector<std::string> warnings;  ///< of the check, and secrets that are missing now
  Json to_json() const;               ///< parameters as shown_parameter() shows them
};

struct DeploymentServices {
  store::Store* store = nullptr;
  govern::Guard* guard = nullptr;
  connectors::Connectors* connectors = nullptr;
  workflow::Engine* engine = nullptr;
  const workflow::FunctionRegistry* functions = nullptr;
  data::Knowledge* knowledge = nullptr;  ///< null: articles are not installed
  /// Its calls use all of the above: stop it before they go. Null: everything is done here.
  runtime::BlockingPool* pool = nullptr;
  const models::Models* models = nullptr;  ///< null: what serves is not looked at
  CheckSources check_sources = nullptr;    ///< null: sources are neither checked nor staged
  std::function<Staged(const TenantId& tenant, const std::vector<SourceText>& files,
                       const JsonObject& parameters)>
      stage_sources = nullptr;
  /// What of the tenant's sources does not work as they stand now: secrets that are missing.
  std::function<std::vector<Error>(const TenantId& tenant)> source_warnings = nullptr;
  /// What of a bundle's sources could not work on this server as it stands: folders to watch.
  std::function<std::vector<Error>(const TenantId& tenant, const std::vector<SourceText>& files,
                                   const JsonObject& parameters)>
      source_troubles = nullptr;
  /// Null: a plan does not tell of secrets that are missing.
  connectors::SecretSource secret = nullptr;
  gateway::Hosted* hosted = nullptr;             ///< null: hosted models are not installed
  govern::Budgets* budgets = nullptr;            ///< null: budgets are not installed
  connectors::Deliveries* deliveries = nullptr;  ///< null: subscriptions are not installed
  Learnt* learnt = nullptr;                      ///< null: articles are learnt each time
};

class Deployments {
 public:
  explicit Deployments(DeploymentServices services);
  ~Deployments();
  /// Installs what each tenant ran last; call once at start, before the engine recovers runs.
  /// @return what could not be installed: such a tenant has no bundle until one is deployed, which
  ///         goes on with the number of the one that is recorded.
  Task<Result<std::vector<Error>>> load(Context ctx);
  /// Checks, makes everything ready, commits, and then puts it in place, policies first: no run
  /// meets a new step under old policies. On errors nothing changes and `errors` lists all of them
  /// (the result is the first). unavailable [AIOS-1114] while another deployment of the tenant is
  /// under way; aborted [AIOS-1117] when one was made since this one read what was set before;
  /// failed_precondition [AIOS-1107] for a bundle of another name.
  /// @param overrides  values of parameters; those not named keep what an earlier deployment set,
  ///                   null takes one back to the bundle's default.
  Task<Result<DeploymentInfo>> deploy(Context ctx, Files files, JsonObject overrides,
                                      std::vector<Error>* errors);
  /// What deploy() would change, with the same errors but those of a deployment at the same time;
  /// nothing is changed.
  Task<Result<Plan>> plan(Context ctx, Files files, JsonObject overrides,
                          std::vector<Error>* errors);
  /// What was deployed before and what runs now, newest first; the numbers count by one.
  Task<Result<std::vector<DeploymentInfo>>> history(Context ctx) const;
  /// Deployment `number` as something to deploy once more: its files, and values that make what is
  /// set what was set then. not_found [AIOS-1108]: there is no such one.
  struct Earlier {
    Files files;
    JsonObject overrides;
  };
  Task<Result<Earlier>> earlier(Context ctx, std::uint64_t number) const;
  /// not_found [AIOS-1108]: none, or what is recorded could not be installed; it says which.
  Result<DeploymentInfo> current(const TenantId& tenant) const;
  /// Why a tenant whose recorded bundle could not be installed takes no work: unavailable
  /// [AIOS-1116], with the time after which to ask again. Nothing: it runs one, or never had one.
  std::optional<Error> failure(const TenantId& tenant) const;
  /// Such tenants; none when all have what they ran.
  std::vector<TenantId> failed() const;
  /// There are such tenants, and no other runs a bundle.
  bool none_loaded() const;
  /// Secrets that the tenant's bundle names (connectors, sources, subscriptions, hosted models) and
  /// that are not there now.
  std::vector<Error> missing_secrets(const TenantId& tenant) const;
  /// What of the sources of the bundle that runs cannot work on this server as it stands.
  std::vector<Error> source_troubles(const TenantId& tenant) const;
  /// A form by name; not_found names the nearest.
  Result<Json> form(const TenantId& tenant, std::string_view name) const;
  /// Of the bundle that runs; none where there is none.
  std::vector<AliasUse> aliases(const TenantId& tenant) const;
  struct TrainingInput {
    models::ModelSpec spec;
    std::vector<models::Example> examples;
    std::vector<models::Example> heldout;
  };
  /// Specification and data of a model of the current bundle.
  Result<TrainingInput> training_input(const TenantId& tenant, std::string_view model) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::bundle

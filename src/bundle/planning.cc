// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/planning.h"

#include "bundle/detail/deployment_records.h"
#include "bundle/detail/settings.h"
#include "bundle/detail/staging.h"
#include "store/label.h"
#include "store/store.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

namespace aios::bundle {
namespace {

constexpr std::uint32_t runs_read_max = 1000;  // of one status

/// What is set stays with later deployments: it counts also where it equals the default.
void add_settings(const JsonObject& had, const JsonObject& has, std::vector<PartChange>* changes) {
  for (const auto& one : has) {
    if (!had.contains(one.key())) {
      changes->push_back({"setting", std::string(one.key()), PartChange::What::add, "", "",
                          "from now on the bundle's default does not count"});
    }
  }
  for (const auto& one : had) {
    if (!has.contains(one.key())) {
      changes->push_back({"setting", std::string(one.key()), PartChange::What::remove, "", "",
                          "from now on the bundle's default counts"});
    }
  }
}

}  // namespace

Error another_bundle(const TenantId& tenant, const std::string& runs, const std::string& wanted) {
  return Error(Code::failed_precondition,
               fmt::format("tenant '{}' runs the bundle '{}'; a tenant runs one bundle, so '{}' "
                           "needs another tenant or data directory",
                           tenant.text(), runs, wanted))
      .page(1107);
}

JsonObject values_of(const JsonObject& settings, const Bundle& bundle) {
  JsonObject out;
  for (const auto& member : settings) {
    out[member.key()] = bundle.parameters.at(member.key());
  }
  return out;
}

Task<Result<Looked>> look(DeploymentServices services, Context ctx, Files files,
                          JsonObject overrides, std::vector<Error>* errors) {
  auto earlier = co_await recorded(*services.store, ctx);
  if (!earlier.ok()) {
    co_return std::move(earlier).error().with("reading what is deployed");
  }
  Looked looked;
  looked.earlier = std::move(*earlier);
  looked.settings = settings_of(files, looked.earlier.set, overrides);
  auto checked = co_await check_away(services, ctx, std::move(files), looked.settings);
  if (!checked.ok()) {
    co_return std::move(checked).error();
  }
  if (!checked->bundle) {
    *errors = checked->errors;
    co_return std::move(checked->errors.front());
  }
  looked.bundle = std::make_shared<const Bundle>(std::move(*checked->bundle));
  for (const Error& warning : checked->warnings) {
    looked.warnings.push_back(warning.text());
  }
  co_return looked;
}

Plan plan_of(const Bundle* before, const Looked& looked) {
  const Bundle& after = *looked.bundle;
  const JsonObject set = values_of(looked.settings, after);
  Plan plan;
  plan.name = after.name;
  plan.version = after.version;
  plan.digest = after.digest;
  plan.from_number = looked.earlier.number;
  plan.warnings = looked.warnings;
  plan.parts = part_changes(before, after);
  if (before == nullptr) {
    plan.parameters = changes_between({}, after.parameters);
    return plan;
  }
  plan.from_version = before->version;
  plan.from_digest = before->digest;
  plan.parameters = changes_between(before->parameters, after.parameters);
  add_settings(looked.earlier.set, set, &plan.parts);
  plan.changed = before->digest != after.digest || looked.earlier.set != set;
  return plan;
}

Task<Result<Plan>> with_runs(workflow::Engine& engine, Context ctx, Plan plan) {
  for (const std::string& name : workflows_touched(plan.parts)) {
    std::map<std::string, RunsUnderWay> by_version;
    for (const char* status : {"running", "waiting"}) {
      store::ListQuery query;
      query.status = status;
      query.label = store::label_of(name);
      query.limit = runs_read_max;
      auto page = co_await engine.list(ctx, query, workflow::Shown::clear);
      if (!page.ok()) {
        co_return std::move(page).error().with("counting the runs under way");
      }
      for (const workflow::RunView& run : page->runs) {
        RunsUnderWay& entry = by_version[run.version];
        entry.workflow = name;
        entry.version = run.version;
        entry.count += 1;
        entry.more = entry.more || page->more;
      }
    }
    for (auto& [version, entry] : by_version) {
      plan.runs.push_back(std::move(entry));
    }
  }
  co_return plan;
}

}  // namespace aios::bundle

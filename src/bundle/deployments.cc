// SPDX-License-Identifier: Apache-2.0
#include "bundle/deployments.h"

#include "bundle/detail/deployment_records.h"
#include "bundle/detail/names.h"
#include "bundle/detail/planning.h"
#include "bundle/detail/settings.h"
#include "bundle/detail/staging.h"
#include "bundle/detail/standing.h"
#include "core/text.h"
#include "runtime/executor.h"

#include <fmt/format.h>

#include <iterator>
#include <mutex>
#include <set>

namespace aios::bundle {
namespace {

/// Somebody has to mend it first: a sender need not ask again at once.
constexpr Duration failure_pause = std::chrono::seconds(30);

Error not_loaded(const TenantId& tenant, const std::string& why) {
  return Error(
             Code::unavailable,
             fmt::format("the bundle of tenant '{}' could not be loaded; deploy it again, mended, "
                         "with 'aios deploy DIR': {}",
                         tenant.text(), why),
             Retry::same_call)
      .page(1116)
      .after(failure_pause);
}

Error overtaken(const TenantId& tenant, std::uint64_t by) {
  return Error(Code::aborted,
               fmt::format("another deployment of tenant '{}' was made meanwhile (number {}): "
                           "deploy again",
                           tenant.text(), by),
               Retry::whole_step)
      .page(1117);
}

void append(std::vector<std::string> more, std::vector<std::string>* warnings) {
  std::move(more.begin(), more.end(), std::back_inserter(*warnings));
}

struct Installed {
  DeploymentInfo info;
  Bundle bundle;
};

}  // namespace

struct Deployments::Impl {
  DeploymentServices services;
  mutable std::mutex mutex;  // guards what follows; never held across a wait
  std::map<TenantId, std::shared_ptr<const Installed>> current;
  std::map<TenantId, std::string> unusable;  // why what is recorded is not installed
  std::set<TenantId> deploying;

  std::shared_ptr<const Installed> of(const TenantId& tenant) const {
    std::lock_guard lock(mutex);
    const auto found = current.find(tenant);
    return found == current.end() ? nullptr : found->second;
  }

  /// False when one is under way.
  bool begin(const TenantId& tenant) {
    std::lock_guard lock(mutex);
    return deploying.insert(tenant).second;
  }
  void end(const TenantId& tenant) {
    std::lock_guard lock(mutex);
    deploying.erase(tenant);
  }

  std::vector<Error> missing_secrets(const TenantId& tenant) const {
    std::vector<Error> out = missing_secrets_of(services, tenant);
    if (const auto installed = of(tenant)) {
      auto more = missing_secrets_of_calls(services, tenant, installed->bundle);
      std::move(more.begin(), more.end(), std::back_inserter(out));
    }
    return out;
  }

  /// Adds what the operator must know of a bundle that runs now.
  void tell(const TenantId& tenant, DeploymentInfo* info) const {
    for (const Error& missing : missing_secrets(tenant)) {
      info->warnings.push_back(missing.text());
    }
    if (const auto installed = of(tenant)) {
      append(standing_warnings(services, tenant, installed->bundle), &info->warnings);
    }
  }

  void put(const TenantId& tenant, const Ready& ready, DeploymentInfo info, const Bundle& bundle) {
    for (const Staged& part : ready.parts) {
      part.put();
    }
    auto installed = std::make_shared<Installed>();
    installed->info = std::move(info);
    installed->bundle = bundle;
    std::lock_guard lock(mutex);
    current[tenant] = std::move(installed);
    unusable.erase(tenant);
  }

  Task<Result<void>> load_tenant(Context ctx);
  Task<Result<DeploymentInfo>> replace(Context ctx, std::string files,
                                       std::shared_ptr<const Bundle> bundle, JsonObject settings,
                                       DeploymentInfo before);
};

Deployments::Deployments(DeploymentServices services) : impl_(std::make_unique<Impl>()) {
  impl_->services = services;
}
Deployments::~Deployments() = default;

Task<Result<void>> Deployments::Impl::load_tenant(Context ctx) {
  auto row = co_await services.store->stream(ctx, store::StreamKind::deployment, deployment_stream);
  if (!row.ok()) {
    if (row.error().code() == Code::not_found) {
      co_return Result<void>();
    }
    co_return std::move(row).error();
  }
  auto state = parse_json(row->state);
  if (!state.ok()) {
    co_return std::move(state).error();
  }
  auto blob = co_await services.store->blob(ctx, std::string(text_or(*state, "blob", "")));
  if (!blob.ok()) {
    co_return std::move(blob).error().with("reading the deployed bundle");
  }
  auto files = files_from(*blob);
  if (!files.ok()) {
    co_return std::move(files).error();
  }
  DeploymentInfo info = info_from(*state);
  auto checked = co_await check_away(services, ctx, std::move(*files), info.parameters);
  if (!checked.ok()) {
    co_return std::move(checked).error();
  }
  if (!checked->bundle) {
    co_return std::move(checked->errors.front())
        .with("loading the bundle that was deployed before");
  }
  const auto bundle = std::make_shared<const Bundle>(std::move(*checked->bundle));
  std::string embedding;
  if (const std::string name(text_or(*state, "embedding", "")); !name.empty()) {
    auto kept = co_await services.store->blob(ctx, name);
    embedding = kept.ok() ? std::move(*kept) : "";  // learnt again
  }
  auto made = co_await make_ready(services, ctx, bundle, std::move(embedding));
  if (!made.ok()) {
    co_return std::move(made).error();
  }
  put(ctx.tenant, *made, std::move(info), *bundle);
  co_return Result<void>();
}

Task<Result<std::vector<Error>>> Deployments::load(Context ctx) {
  auto tenants = co_await impl_->services.store->tenants_with_leaves(ctx);
  if (!tenants.ok()) {
    co_return std::move(tenants).error();
  }
  std::vector<Error> failures;
  for (const TenantId& tenant : *tenants) {
    const Context own = system_context(tenant, "start");
    auto loaded = co_await impl_->load_tenant(own);
    if (!loaded.ok()) {
      {
        std::lock_guard lock(impl_->mutex);
        impl_->unusable[tenant] = loaded.error().text();
      }
      failures.push_back(std::move(loaded).error().with("loading tenant '" + tenant.text() + "'"));
    }
  }
  co_return failures;
}

/// Recorded when nothing can fail any more, and in place when it is recorded: a start that follows
/// a crash between the two puts it in place.
Task<Result<DeploymentInfo>> Deployments::Impl::replace(Context ctx, std::string files,
                                                        std::shared_ptr<const Bundle> bundle,
                                                        JsonObject settings,
                                                        DeploymentInfo before) {
  // The settings were made of what was recorded before the check: told before all is made ready.
  auto now = co_await recorded(*services.store, ctx);
  if (!now.ok()) {
    co_return std::move(now).error().with("reading what is deployed");
  }
  if (now->number != before.number) {
    co_return overtaken(ctx.tenant, now->number);
  }
  if (!before.name.empty() && before.name != bundle->name) {
    co_return another_bundle(ctx.tenant, before.name, bundle->name);
  }
  runtime::Executor* executor = runtime::Executor::current();
  DeploymentInfo info;
  info.name = bundle->name;
  info.version = bundle->version;
  info.digest = bundle->digest;
  info.parameters = bundle->parameters;
  info.set = values_of(settings, *bundle);
  if (before.number > 0) {
    info.changes = changes_between(before.parameters, info.parameters);
  }
  info.by = ctx.principal->id;
  info.number = before.number + 1;
  info.at = executor->clock().now();
  auto made = co_await make_ready(services, ctx, bundle, "");
  if (!made.ok()) {
    co_return std::move(made).error();
  }
  auto blobs = co_await keep(*services.store, ctx, std::move(files), std::move(made->embedding));
  if (!blobs.ok()) {
    co_return std::move(blobs).error();
  }
  Context whole = ctx;  // a commit that was given up half-way would leave its outcome unknown
  whole.cancel = nullptr;
  whole.deadline = Context().deadline;
  auto committed = co_await record(*services.store, std::move(whole), info, std::move(*blobs));
  if (!committed.ok()) {
    co_return committed.error().code() == Code::aborted ? overtaken(ctx.tenant, info.number)
                                                        : std::move(committed).error();
  }
  DeploymentInfo kept = info;
  kept.changes.clear();
  put(ctx.tenant, *made, std::move(kept), *bundle);
  co_return info;
}

Task<Result<Plan>> Deployments::plan(Context ctx, Files files, JsonObject overrides,
                                     std::vector<Error>* errors) {
  auto looked = co_await look(impl_->services, ctx, std::move(files), std::move(overrides), errors);
  if (!looked.ok()) {
    co_return std::move(looked).error();
  }
  const DeploymentInfo& earlier = looked->earlier;
  if (!earlier.name.empty() && earlier.name != looked->bundle->name) {
    co_return another_bundle(ctx.tenant, earlier.name, looked->bundle->name);
  }
  const auto before = impl_->of(ctx.tenant);
  Plan made = plan_of(before ? &before->bundle : nullptr, *looked);
  append(missing_warnings(impl_->services, ctx.tenant, *looked->bundle), &made.warnings);
  append(standing_warnings(impl_->services, ctx.tenant, *looked->bundle), &made.warnings);
  auto planned = co_await with_runs(*impl_->services.engine, ctx, std::move(made));
  co_return planned;
}

Task<Result<DeploymentInfo>> Deployments::deploy(Context ctx, Files files, JsonObject overrides,
                                                 std::vector<Error>* errors) {
  std::string copy = to_text(files_json(files));
  auto looked = co_await look(impl_->services, ctx, std::move(files), std::move(overrides), errors);
  if (!looked.ok()) {
    co_return std::move(looked).error();
  }
  if (!impl_->begin(ctx.tenant)) {
    co_return Error(
        Code::unavailable,
        fmt::format("another deployment of tenant '{}' is under way", ctx.tenant.text()),
        Retry::same_call)
        .page(1114);
  }
  const auto before = impl_->of(ctx.tenant);
  Plan plan = plan_of(before ? &before->bundle : nullptr, *looked);
  Result<DeploymentInfo> done = Error(Code::internal, "not deployed");
  // What is set counts too, where it equals the default: the next default shall not replace it.
  if (before && !plan.changed) {
    done = before->info;
    done->changed = false;
  } else {
    done = co_await impl_->replace(ctx, std::move(copy), looked->bundle,
                                   std::move(looked->settings), std::move(looked->earlier));
  }
  impl_->end(ctx.tenant);
  if (done.ok()) {
    done->warnings = std::move(looked->warnings);
    impl_->tell(ctx.tenant, &*done);
    // It is deployed whether or not the runs that go on can be counted.
    auto counted = co_await with_runs(*impl_->services.engine, ctx, plan);
    done->plan = counted.ok() ? std::move(*counted) : std::move(plan);
  }
  co_return done;
}

Task<Result<std::vector<DeploymentInfo>>> Deployments::history(Context ctx) const {
  auto all = co_await deployed_before(*impl_->services.store, std::move(ctx));
  co_return all;
}

Task<Result<Deployments::Earlier>> Deployments::earlier(Context ctx, std::uint64_t number) const {
  auto found = co_await deployed_as(*impl_->services.store, std::move(ctx), number);
  co_return found;
}

Result<DeploymentInfo> Deployments::current(const TenantId& tenant) const {
  const auto installed = impl_->of(tenant);
  if (installed) {
    return installed->info;
  }
  std::lock_guard lock(impl_->mutex);
  const auto why = impl_->unusable.find(tenant);
  return Error(Code::not_found,
               why == impl_->unusable.end()
                   ? fmt::format("tenant '{}' has no bundle; deploy one with 'aios deploy DIR'",
                                 tenant.text())
                   : fmt::format("the bundle of tenant '{}' could not be loaded; deploy it again, "
                                 "mended, with 'aios deploy DIR': {}",
                                 tenant.text(), why->second))
      .page(1108);
}

std::optional<Error> Deployments::failure(const TenantId& tenant) const {
  std::lock_guard lock(impl_->mutex);
  const auto why = impl_->unusable.find(tenant);
  return why == impl_->unusable.end() ? std::optional<Error>() : not_loaded(tenant, why->second);
}

std::vector<TenantId> Deployments::failed() const {
  std::vector<TenantId> out;
  std::lock_guard lock(impl_->mutex);
  for (const auto& [tenant, why] : impl_->unusable) {
    out.push_back(tenant);
  }
  return out;
}

bool Deployments::none_loaded() const {
  std::lock_guard lock(impl_->mutex);
  return !impl_->unusable.empty() && impl_->current.empty();
}

std::vector<Error> Deployments::missing_secrets(const TenantId& tenant) const {
  return impl_->missing_secrets(tenant);
}

std::vector<Error> Deployments::source_troubles(const TenantId& tenant) const {
  const auto installed = impl_->of(tenant);
  return installed ? troubles_of_sources(impl_->services, tenant, installed->bundle)
                   : std::vector<Error>();
}

std::vector<AliasUse> Deployments::aliases(const TenantId& tenant) const {
  const auto installed = impl_->of(tenant);
  return installed ? aliases_of(installed->bundle) : std::vector<AliasUse>();
}

Result<Json> Deployments::form(const TenantId& tenant, std::string_view name) const {
  const auto installed = impl_->of(tenant);
  if (installed) {
    const auto found = installed->bundle.forms.find(std::string(name));
    if (found != installed->bundle.forms.end()) {
      return found->second;
    }
  }
  const auto names = installed ? names_of(installed->bundle.forms) : std::vector<std::string>();
  return Error(Code::not_found, fmt::format("no form is named '{}'{}", name, hint(name, names)))
      .page(1109);
}

Result<Deployments::TrainingInput> Deployments::training_input(const TenantId& tenant,
                                                               std::string_view model) const {
  const auto installed = impl_->of(tenant);
  std::vector<std::string> names;
  if (installed) {
    for (const ModelSource& source : installed->bundle.models) {
      names.push_back(source.spec.name);
      if (source.spec.name != model) {
        continue;
      }
      TrainingInput input;
      input.spec = source.spec;
      for (auto [path, slot] : {std::pair(&source.dataset, &input.examples),
                                std::pair(&source.heldout, &input.heldout)}) {
        if (path->empty()) {
          continue;
        }
        auto examples = models::read_examples(installed->bundle.files.at(*path), *path);
        if (!examples.ok()) {
          return std::move(examples).error();
        }
        *slot = std::move(*examples);
      }
      return input;
    }
  }
  return Error(Code::not_found,
               fmt::format("no model of the bundle is named '{}'{}", model, hint(model, names)))
      .page(1110);
}

}  // namespace aios::bundle

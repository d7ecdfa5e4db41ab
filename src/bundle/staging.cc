// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/staging.h"

#include "bundle/detail/knowledge.h"

#include <functional>
#include <utility>

namespace aios::bundle {
namespace {

Result<Ready> ready(const DeploymentServices& services, const TenantId& tenant,
                    const Bundle& bundle, const std::string& embedding) {
  Ready out;
  auto& parts = out.parts;
  parts.push_back(services.guard->stage(tenant, bundle.policies, bundle.parameters));
  if (services.budgets != nullptr) {
    parts.push_back(services.budgets->stage(tenant, bundle.budgets));
  }
  if (services.hosted != nullptr) {
    parts.push_back(services.hosted->stage(tenant, bundle.hosted));
  }
  parts.push_back(
      services.connectors->stage(tenant, bundle.connectors, bundle.parameters, bundle.egress));
  if (services.deliveries != nullptr) {
    parts.push_back(services.deliveries->stage(tenant, bundle.subscriptions, bundle.parameters));
  }
  if (services.knowledge != nullptr) {
    Learnt once;
    auto made = make_corpus(bundle, embedding, services.learnt ? services.learnt : &once);
    if (!made.ok()) {
      return std::move(made).error();
    }
    out.embedding = std::move(made->embedding);
    parts.push_back(services.knowledge->stage(tenant, std::move(made->corpus)));
  }
  parts.push_back(services.engine->stage(tenant, bundle.workflows));
  if (services.stage_sources) {  // last: what comes in meets everything else in its place
    parts.push_back(services.stage_sources(tenant, bundle.sources, bundle.parameters));
  }
  for (Staged& part : parts) {
    if (!part.errors.empty()) {
      return std::move(part.errors.front());
    }
  }
  return out;
}

template <class T>
Task<Result<T>> away(runtime::BlockingPool* pool, Context ctx, std::function<Result<T>()> work) {
  if (pool == nullptr) {
    co_return work();
  }
  auto done = co_await runtime::blocking(std::move(ctx), *pool, std::move(work));
  co_return done;
}

}  // namespace

Task<Result<Checked>> check_away(DeploymentServices services, Context ctx, Files files,
                                 JsonObject overrides) {
  std::function<Result<Checked>()> work =
      [functions = services.functions, check_sources = services.check_sources,
       files = std::move(files), overrides = std::move(overrides)] {
        return Result<Checked>(check_bundle(files, overrides, *functions, check_sources));
      };
  auto checked = co_await away(services.pool, std::move(ctx), std::move(work));
  co_return checked;
}

Task<Result<Ready>> make_ready(DeploymentServices services, Context ctx,
                               std::shared_ptr<const Bundle> bundle, std::string embedding) {
  std::function<Result<Ready>()> work = [services, tenant = ctx.tenant, bundle,
                                         embedding = std::move(embedding)] {
    return ready(services, tenant, *bundle, embedding);
  };
  auto made = co_await away(services.pool, std::move(ctx), std::move(work));
  co_return made;
}

std::vector<Error> missing_secrets_of(const DeploymentServices& services, const TenantId& tenant) {
  std::vector<Error> out = services.connectors->missing_secrets(tenant);
  const auto add = [&out](std::vector<Error> more) {
    std::move(more.begin(), more.end(), std::back_inserter(out));
  };
  if (services.source_warnings) {
    add(services.source_warnings(tenant));
  }
  if (services.deliveries != nullptr) {
    add(services.deliveries->missing_secrets(tenant));
  }
  if (services.hosted != nullptr) {
    add(services.hosted->missing_secrets(tenant));
  }
  return out;
}

}  // namespace aios::bundle

// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/standing.h"

#include "bundle/detail/egress.h"
#include "bundle/detail/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace aios::bundle {
namespace {

/// Models of a bundle that no alias of the tenant leads to.
std::vector<std::string> idle_models(const models::Models& models, const TenantId& tenant,
                                     const Bundle& bundle) {
  std::vector<std::string> idle;
  const auto aliases = models.aliases(tenant);
  for (const ModelSource& source : bundle.models) {
    const auto serves = [&source](const models::AliasInfo& alias) {
      return alias.model == source.spec.name;
    };
    if (std::none_of(aliases.begin(), aliases.end(), serves)) {
      idle.push_back(source.spec.name);
    }
  }
  return idle;
}

}  // namespace

std::vector<std::string> missing_warnings(const DeploymentServices& services,
                                          const TenantId& tenant, const Bundle& bundle) {
  std::vector<std::string> out;
  for (const std::string& name : services.secret ? bundle.secrets : std::vector<std::string>()) {
    if (auto found = services.secret(tenant, name); !found.ok()) {
      out.push_back(found.error().text());
    }
  }
  return out;
}

std::vector<Error> missing_secrets_of_calls(const DeploymentServices& services,
                                            const TenantId& tenant, const Bundle& bundle) {
  std::vector<Error> out;
  std::set<std::string> seen;
  for (const Named& named : services.secret ? secrets_of_calls(bundle) : std::vector<Named>()) {
    if (!seen.insert(named.name).second) {
      continue;
    }
    if (auto found = services.secret(tenant, named.name); !found.ok()) {
      out.push_back(
          std::move(found).error().with(fmt::format("looking at workflow file {}", named.file)));
    }
  }
  return out;
}

std::vector<Error> troubles_of_sources(const DeploymentServices& services, const TenantId& tenant,
                                       const Bundle& bundle) {
  return services.source_troubles
             ? services.source_troubles(tenant, bundle.sources, bundle.parameters)
             : std::vector<Error>();
}

std::vector<std::string> standing_warnings(const DeploymentServices& services,
                                           const TenantId& tenant, const Bundle& bundle) {
  std::vector<std::string> out;
  for (const Error& trouble : troubles_of_sources(services, tenant, bundle)) {
    out.push_back(trouble.text());
  }
  const auto idle = services.models == nullptr ? std::vector<std::string>()
                                               : idle_models(*services.models, tenant, bundle);
  for (const std::string& model : idle) {
    out.push_back(
        Error(Code::failed_precondition,
              fmt::format("model '{}' serves nothing yet: runs that ask it wait until a version "
                          "is promoted; 'aios model train {}', then 'aios model promote {}@1 {}'",
                          model, model, model, model))
            .page(705)
            .text());
  }
  return out;
}

}  // namespace aios::bundle

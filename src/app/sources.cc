// SPDX-License-Identifier: Apache-2.0
#include "app/sources.h"

#include <fmt/format.h>

#include <utility>

namespace aios::app {
namespace {

std::vector<ingress::SourceFile> files_of(const std::vector<bundle::SourceText>& texts) {
  std::vector<ingress::SourceFile> out;
  for (const auto& text : texts) {
    out.push_back({text.path, text.text});
  }
  return out;
}

std::vector<Error> missing_secrets(const ingress::Sources& sources,
                                   const connectors::SecretSource& secret, const TenantId& tenant) {
  std::vector<Error> out;
  for (const auto& source : sources.of_tenant(tenant)) {
    for (const auto& name : source->secrets) {
      auto found = secret(tenant, name);
      if (!found.ok()) {
        out.push_back(std::move(found).error().with(
            fmt::format("looking for what source '{}' needs", source->name)));
      }
    }
  }
  return out;
}

}  // namespace

bundle::CheckedSourceTexts check_sources(const std::vector<bundle::SourceText>& files,
                                         const JsonObject& parameters) {
  auto checked = ingress::Sources::check(default_tenant(), files_of(files), parameters);
  bundle::CheckedSourceTexts out;
  out.errors = std::move(checked.errors);
  for (auto& secret : checked.secrets) {
    out.secrets.push_back(
        {std::move(secret.name), std::move(secret.file), secret.line, secret.column});
  }
  return out;
}

void wire_sources(ingress::Sources& sources, connectors::SecretSource secret,
                  const std::string& watch_root, bundle::DeploymentServices* services) {
  services->secret = secret;
  services->source_troubles = [watch_root](const TenantId& tenant,
                                           const std::vector<bundle::SourceText>& files,
                                           const JsonObject& parameters) {
    std::vector<Error> troubles;
    for (const auto& source :
         ingress::Sources::check(tenant, files_of(files), parameters).sources) {
      if (auto ready = ingress::Sources::ready(*source, watch_root); !ready.ok()) {
        troubles.push_back(std::move(ready).error().with(
            fmt::format("looking for what source '{}' watches", source->name)));
      }
    }
    return troubles;
  };
  services->check_sources = check_sources;
  services->stage_sources = [&sources](const TenantId& tenant,
                                       const std::vector<bundle::SourceText>& files,
                                       const JsonObject& parameters) {
    return sources.stage(tenant, files_of(files), parameters);
  };
  services->source_warnings = [&sources, secret = std::move(secret)](const TenantId& tenant) {
    return missing_secrets(sources, secret, tenant);
  };
}

}  // namespace aios::app

// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/sources: what stands between bundle, which keeps the files sources/*.yaml, and ingress, which
// reads them.

#include "bundle/deployments.h"
#include "connectors/connectors.h"
#include "ingress/sources.h"

namespace aios::app {

/// Checks a bundle's sources as a deployment does.
bundle::CheckedSourceTexts check_sources(const std::vector<bundle::SourceText>& files,
                                         const JsonObject& parameters);
/// Deployments check, stage and warn of sources; `sources` outlives them.
void wire_sources(ingress::Sources& sources, connectors::SecretSource secret,
                  const std::string& watch_root, bundle::DeploymentServices* services);

}  // namespace aios::app

// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/standing: what of a bundle that is right does not work on this server as it stands.

#include "bundle/deployments.h"

#include <string>
#include <vector>

namespace aios::bundle {

/// Secrets that the bundle says it needs and that are not there, told before it runs.
std::vector<std::string> missing_warnings(const DeploymentServices& services,
                                          const TenantId& tenant, const Bundle& bundle);
/// Secrets that its workflows name (`use.secrets`, for `call: http`) and that are not there.
std::vector<Error> missing_secrets_of_calls(const DeploymentServices& services,
                                            const TenantId& tenant, const Bundle& bundle);
/// Folders that cannot be watched, and models that serve nothing.
std::vector<std::string> standing_warnings(const DeploymentServices& services,
                                           const TenantId& tenant, const Bundle& bundle);
/// The folders alone.
std::vector<Error> troubles_of_sources(const DeploymentServices& services, const TenantId& tenant,
                                       const Bundle& bundle);

}  // namespace aios::bundle

// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/staging: what of a deployment takes time and may fail, done on the pool of the
// services (here where there is none).

#include "bundle/deployments.h"
#include "core/staged.h"

#include <memory>
#include <string>
#include <vector>

namespace aios::bundle {

/// All of a bundle's parts, of which none can fail any more.
struct Ready {
  std::vector<Staged> parts;  ///< in the order to put them in place: policies first
  std::string embedding;      ///< Embedding::serialize(); empty without articles
};

/// check_bundle(); its errors are in the value.
Task<Result<Checked>> check_away(DeploymentServices services, Context ctx, Files files,
                                 JsonObject overrides);
/// Of a bundle that was checked; what a room refuses all the same is the error.
/// @param embedding  as make_corpus() takes it.
Task<Result<Ready>> make_ready(DeploymentServices services, Context ctx,
                               std::shared_ptr<const Bundle> bundle, std::string embedding);

/// Secrets that the tenant's bundle names and that are not there now.
std::vector<Error> missing_secrets_of(const DeploymentServices& services, const TenantId& tenant);

}  // namespace aios::bundle

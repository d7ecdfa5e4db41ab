// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/deployment_records: how a deployment is written down: its files as one blob, and
// what it says of itself in its stream's state.

#include "bundle/deployments.h"

#include <string>

namespace aios::bundle {

/// An object: each path with its bytes in base64.
Json files_json(const Files& files);
/// @return data_loss or invalid_argument for what files_json() did not make.
Result<Files> files_from(const std::string& blob);
/// What is kept, with the values of all parameters.
JsonObject record_json(const DeploymentInfo& info);
/// Of record_json(); members that are not there stay empty.
DeploymentInfo info_from(const Json& state);

inline constexpr const char* deployment_stream = "current";  ///< one bundle a tenant

/// What the store says of the tenant's bundle; number 0: nothing yet.
Task<Result<DeploymentInfo>> recorded(store::Store& store, Context ctx);

/// All that were recorded, newest first; none: nothing yet.
Task<Result<std::vector<DeploymentInfo>>> deployed_before(store::Store& store, Context ctx);
/// As Deployments::earlier().
Task<Result<Deployments::Earlier>> deployed_as(store::Store& store, Context ctx,
                                               std::uint64_t number);

/// Names of what a deployment keeps.
struct Blobs {
  std::string files;
  std::string embedding;  ///< empty without articles
};
Task<Result<Blobs>> keep(store::Store& store, Context ctx, std::string files,
                         std::string embedding);
/// One commit: the stream and its leaf. aborted when another number is current.
Task<Result<void>> record(store::Store& store, Context ctx, DeploymentInfo info, Blobs blobs);

}  // namespace aios::bundle

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
/// Of DeploymentInfo::to_json(); members that are not there stay empty.
DeploymentInfo info_from(const Json& state);

}  // namespace aios::bundle

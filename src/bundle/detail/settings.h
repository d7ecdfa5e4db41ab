// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/settings: the parameters that deployments set, from one to the next.

#include "bundle/bundle.h"
#include "bundle/deployments.h"

#include <vector>

namespace aios::bundle {

/// What a deployment sets: what is given now, else what the one before set, as far as the files
/// still declare it. null takes a parameter back to the bundle's default.
JsonObject settings_of(const Files& files, const JsonObject& before, const JsonObject& given);

/// By name. A parameter that only one of the two has is null in the other.
std::vector<ParameterChange> changes_between(const JsonObject& before, const JsonObject& now);

}  // namespace aios::bundle

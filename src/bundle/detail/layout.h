// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/layout: where the parts of a bundle stand, and what nothing reads.

#include "bundle/bundle.h"

#include <array>
#include <string_view>

namespace aios::bundle {

/// Each with its '/'. `tests/` belongs to a bundle too, but is not deployed.
constexpr std::array<std::string_view, 9> part_folders = {
    "workflows/", "policies/",  "models/",  "datasets/",     "connectors/",
    "forms/",     "knowledge/", "sources/", "subscriptions/"};

/// Warns of files in a bundle's folders that nothing reads.
void check_layout(const Bundle& bundle, Checked* checked);
/// Warns of what no policy can ever allow: the guard would deny it each time.
/// @param guard  holds the bundle's policies.
void check_guarded(const Bundle& bundle, const govern::Guard& guard, Checked* checked);

/// Warns of sources whose events nothing takes, and of schedules whose events policy denies.
/// @param guard  holds the bundle's policies.
void check_triggers(const Bundle& bundle, const govern::Guard& guard, Checked* checked);

}  // namespace aios::bundle

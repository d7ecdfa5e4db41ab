// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/incident_point: the guard point that a person's word on an incident passes (package
// `aios.incident_settle`). The next value after those that guard.h names; only this name is used.
// A bundle without that package lets the word count, as at review_assign.

#include "govern/guard.h"

#include <cstdint>

namespace aios::govern {

inline constexpr GuardPoint incident_settle =
    static_cast<GuardPoint>(static_cast<std::uint8_t>(GuardPoint::question) + 1);

}  // namespace aios::govern

// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/culprit: two parts of a log disagree: which of them leads to the signed root. Reads
// the folder again, for the message alone.

#include "core/crypto.h"
#include "govern/tlog.h"

#include <cstdint>
#include <string>

namespace aios::govern::detail {

/// Whether the hashes that the tiles of `level` keep, with the partial tiles below it, lead to the
/// root. False too when one cannot be read.
bool level_leads_to_root(const std::string& folder, int level, const Checkpoint& head);
/// Whether the entries alone do.
bool entries_lead_to_root(const std::string& folder, const Checkpoint& head);

}  // namespace aios::govern::detail

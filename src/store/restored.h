// SPDX-License-Identifier: Apache-2.0
#pragma once
// store/restored: whether a data directory came from a backup. What happened after the backup was
// made is not in it, so whoever acts outside must ask before they act again.

#include "core/result.h"
#include "core/time.h"

#include <optional>
#include <string>

namespace aios::store {

/// Time of the newest commit that the directory has from its backup; nothing: it was never
/// restored. data_loss [AIOS-0413] when the note of it cannot be read.
Result<std::optional<Time>> restored_through(const std::string& directory);

/// Notes it, durably; part of a restore.
Result<void> note_restored(const std::string& directory, Time newest);

}  // namespace aios::store

// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/private_file: small files that others wait for or that hold a secret.

#include "core/result.h"

#include <string>
#include <string_view>

namespace aios::app {

/// Readable by its owner alone, and durable before the caller goes on. Others see the whole text or
/// what was there before, which is replaced.
/// @return resource_exhausted (the disk is full) or permission_denied [AIOS-1403], and then the
///         file is as it was.
Result<void> write_private_file(const std::string& path, std::string_view text);
/// The same for what is worth nothing once this process has ended: not durable, so that nobody
/// waits for a disk. After a power cut it may be empty.
Result<void> write_passing_file(const std::string& path, std::string_view text);

}  // namespace aios::app

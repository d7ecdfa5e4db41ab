// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/audit_key: the signing key of a data directory's audit log is made once, with the directory.
// One that is lost later is made anew only when somebody says so.

#include "core/result.h"

#include <cstdint>
#include <string>

namespace aios::app {

enum class LostAuditKey : std::uint8_t { refuse, make_new };

std::string audit_key_file(const std::string& data);
std::string audit_folder(const std::string& data);
/// The name of a new key: no two installations' logs have the same.
std::string new_audit_origin();

/// To be called before the log is opened.
/// @param has_leaves  the store holds audit leaves
/// @return failed_precondition [AIOS-0528] when it does and the key is gone; with make_new the
///         folder of the old log is moved aside instead, and the log is begun again.
Result<void> settle_audit_key(const std::string& data, bool has_leaves, LostAuditKey lost);

}  // namespace aios::app

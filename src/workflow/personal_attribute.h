// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/personal_attribute: search attributes that look like a person's data. Pure; any thread.

#include "core/result.h"

#include <optional>
#include <string_view>

namespace aios::workflow {

/// Where the attribute's name, a member that its expression reads, or a text in it is named or made
/// like personal data: failed_precondition [AIOS-1076], for a warning.
std::optional<Error> looks_personal(std::string_view name, std::string_view value);

}  // namespace aios::workflow

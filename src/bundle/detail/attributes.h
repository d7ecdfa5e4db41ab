// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/attributes: search attributes of a workflow that look personal.

#include "bundle/detail/findings.h"

namespace aios::bundle {

/// Warns of those that look personal (workflow/personal_attribute.h): they are kept in clear.
/// @param findings  of a workflow's document.
void check_attributes(Findings* findings);

}  // namespace aios::bundle

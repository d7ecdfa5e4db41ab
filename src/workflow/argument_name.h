// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/argument_name: how a document names an argument of its expressions (`$pet`).

#include "core/json.h"
#include "workflow/task_kind.h"

#include <string>
#include <string_view>

namespace aios::workflow {

/// The name that `member` of `node` gives, or `otherwise` where it is absent. What cannot be
/// written behind a "$", or stands for something else already, is an error.
std::string argument_name(TaskLoader& loader, const Json& node, const std::string& pointer,
                          std::string_view member, const std::string& otherwise);

}  // namespace aios::workflow

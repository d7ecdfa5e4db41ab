// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/detail/review_commands: what the verbs of `aios review` share.

#include "app/commands.h"

#include <string>

namespace aios::app {

/// The question on a page, with the command that answers it; --json: the API's answer.
Result<void> show_review(const Session& session, const std::string& id);

}  // namespace aios::app

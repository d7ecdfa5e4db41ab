// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/explain_review: what `explain` says of a question that a run waits for.

#include "review/review.h"

#include <string>

namespace aios::workflow {

/// What the form asks of whom, and the whole command.
void explain_review(const review::ReviewInfo& review, std::string* out);

}  // namespace aios::workflow

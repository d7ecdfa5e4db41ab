// SPDX-License-Identifier: Apache-2.0
#pragma once
// review/detail/policy: what the guard is told of a review at review_assign, and what of its
// obligations a review can carry out.

#include "core/json.h"
#include "core/result.h"
#include "govern/guard.h"
#include "review/review_info.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::review::detail {

/// {review: {title, assignees, form, phase, priority, ...}, run}
/// @param more  members of `review` that belong to the phase
JsonObject guard_facts(const ReviewInfo& info, std::string_view phase, JsonObject more,
                       JsonObject run);

struct Demands {
  std::vector<std::string> approvers;  ///< roles of {"type": "approve", "assignees": [roles]}
  std::optional<int> priority;         ///< of {"type": "priority", "value": ...}: at least
};

/// What a ruling asks for, or why it cannot be done: denied [AIOS-0501], or an obligation that a
/// review cannot carry out [AIOS-0606].
Result<Demands> demands_of(const govern::Ruling& ruling);
/// Adds roles that are not there yet.
void add_roles(const std::vector<std::string>& more, std::vector<std::string>& roles);

}  // namespace aios::review::detail

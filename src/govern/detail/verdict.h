// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/verdict: what the rules of a package say, as a verdict. Without the parts of a
// Decision that differ each time (its id), so that it can be kept and shared.

#include "core/json.h"
#include "govern/guard.h"

#include <memory>
#include <string>
#include <vector>

namespace aios::govern::detail {

struct PolicyAnswer {
  Verdict verdict = Verdict::deny;
  std::vector<std::string> reasons;
  std::vector<std::string> fixed_reasons;  ///< see Decision
  std::vector<JsonObject> obligations;
  std::shared_ptr<const std::string> input;  ///< canonical JSON of what the policy could read
  std::string input_digest;                  ///< hex SHA-256 of it
};

/// @param rules  the package's object. deny (or allow other than true, without escalate) is deny,
/// then
///        escalate, then warn. A rule of another type than agreed is a deny that says so.
PolicyAnswer answer_of(GuardPoint point, const Json& rules);
/// @param reason  the guard's own, fixed: nothing of the input in it.
PolicyAnswer denied(std::string reason);

}  // namespace aios::govern::detail

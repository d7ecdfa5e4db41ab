// SPDX-License-Identifier: Apache-2.0
#pragma once
// review/detail/checks: what a question and what is said of it must be like. Errors: review.h.

#include "core/context.h"
#include "review/review.h"

#include <cstdint>
#include <string>
#include <vector>

namespace aios::review::detail {

Error bad_request(std::string message);
Result<void> check_request(const ReviewRequest& request);
/// Why a review that does not wait cannot be answered, cancelled or claimed.
Error not_open(const ReviewInfo& info);
Result<void> check_role(const Context& ctx, const ReviewInfo& info,
                        const std::vector<std::string>& roles);
/// Who may answer it, or operates the server.
Result<void> check_may_move(const Context& ctx, const ReviewInfo& info);
Result<void> check_answer(const ReviewInfo& info, const Json& answer);
/// They are roles, and keys with them may answer.
Result<void> check_said_roles(const std::vector<std::string>& roles);
Result<void> check_reason(const std::string& reason);
/// Nobody else has it in hand.
Result<void> check_free(const Context& ctx, const ReviewInfo& info, Time now);
Result<void> check_version(const ReviewInfo& info, std::uint64_t version);

}  // namespace aios::review::detail

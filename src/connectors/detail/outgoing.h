// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/outgoing: the second look under `redact`, at the request that a manifest makes
// of masked arguments. Headers hold nothing of the arguments: a manifest gives them as they are.

#include "core/json.h"
#include "core/result.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace aios::connectors::detail {

struct Outgoing {
  std::string target;  ///< path and query, percent-encoded
  std::optional<Json> body;
};

/// @param own  what the manifest and the engine put there themselves: what is found in one of these
///             is not taken from the arguments.
/// @return policy_denied: [AIOS-0517] personal data in path, query or body; [AIOS-0907] a mark in
///         the path, which would lead to another place than the one that was meant.
Result<void> check_masked(const Outgoing& request, std::span<const std::string_view> own);

}  // namespace aios::connectors::detail

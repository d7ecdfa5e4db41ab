// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/webhook: signing what leaves. Source: Standard Webhooks 1.0.0.

#include "core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace aios::connectors::detail {

/// The key of a secret "whsec_<base64>" (the prefix may be missing), 1 to 64 bytes.
/// @return failed_precondition [AIOS-0941], without the secret.
Result<std::string> webhook_key(std::string_view secret);

/// The value of webhook-signature: "v1," and the HMAC-SHA256 of "id.timestamp.body" in base64.
std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t seconds,
                              std::string_view body);

}  // namespace aios::connectors::detail

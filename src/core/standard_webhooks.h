// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/standard_webhooks: what both sides of a webhook agree on. Source: Standard Webhooks 1.0.0.
// Threading: any.

#include "core/crypto.h"
#include "core/result.h"

#include <string>
#include <string_view>

namespace aios {

/// Before each signature of the header webhook-signature; a space is between two.
inline constexpr std::string_view standard_webhook_mark = "v1,";

/// The key of a secret "whsec_<base64>"; the prefix may be missing.
/// @return invalid_argument for what is no base64, or nothing; it does not quote the secret.
Result<std::string> standard_webhook_key(std::string_view secret);
/// What is signed, with HMAC-SHA256.
/// @param time  webhook-timestamp as it is sent: seconds since 1970.
std::string standard_webhook_text(std::string_view id, std::string_view time,
                                  std::string_view body);

}  // namespace aios

// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/signature: whether a webhook is what its sender signed. Nothing of the body is read
// before. Sources: Standard Webhooks 1.0.0; the documents of GitHub, Stripe and Slack.
// Threading: any.

#include "core/time.h"
#include "net/http.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::ingress {

enum class Scheme : std::uint8_t {
  standard,  ///< webhook-id, webhook-timestamp, webhook-signature; a secret is base64
  github,    ///< X-Hub-Signature-256; it says no time
  stripe,    ///< Stripe-Signature
  slack,     ///< X-Slack-Signature, X-Slack-Request-Timestamp
};
std::optional<Scheme> parse_scheme(std::string_view name);

enum class Signed : std::uint8_t {
  good,
  bad,   ///< nothing that these secrets sign
  late,  ///< signed by one of them, but for another time
};

inline constexpr std::size_t webhook_secrets_max = 4;
inline constexpr std::size_t signatures_max = 16;  ///< of one message; more are not looked at

/// Whether a text can be a secret of the scheme.
bool is_secret(Scheme scheme, std::string_view secret);
/// Any signature of the message under any of the secrets will do, as long as either is being
/// replaced. Digests are compared in a time that does not depend on them; without any secret as
/// much is computed as with one.
/// @param tolerance  how far the message's time may be from `now`, either way.
Signed check_signature(Scheme scheme, const net::Headers& headers, std::string_view body,
                       const std::vector<std::string>& secrets, Time now, Duration tolerance);

}  // namespace aios::ingress

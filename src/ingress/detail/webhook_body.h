// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/detail/webhook_body: what the expressions of a webhook's mapping see. Only of a request
// whose signature is good.

#include "core/json.h"
#include "net/http.h"

#include <optional>
#include <string>

namespace aios::ingress {

/// JSON where it is JSON, an object of texts for a form, text where it is UTF-8, else base64.
Json webhook_body(const net::Request& request);
/// By lower-case name, the first of each; without those that hold keys.
JsonObject webhook_headers(const net::Request& request);
/// What Slack wants to see again when it is told of the address.
std::optional<std::string> slack_challenge(const Json& body);

}  // namespace aios::ingress

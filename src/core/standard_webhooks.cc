// SPDX-License-Identifier: Apache-2.0
#include "core/standard_webhooks.h"

#include "core/text.h"

namespace aios {
namespace {

constexpr std::string_view prefix = "whsec_";

}  // namespace

Result<std::string> standard_webhook_key(std::string_view secret) {
  auto key = from_base64(secret.starts_with(prefix) ? secret.substr(prefix.size()) : secret);
  if (!key.ok() || key->empty()) {
    return Error(Code::invalid_argument, "the secret is not 'whsec_' and base64");
  }
  return key;
}

std::string standard_webhook_text(std::string_view id, std::string_view time,
                                  std::string_view body) {
  std::string out;
  out.reserve(id.size() + time.size() + body.size() + 2);
  out.append(id).append(1, '.').append(time).append(1, '.').append(body);
  return out;
}

}  // namespace aios

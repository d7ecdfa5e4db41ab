// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/webhook.h"

#include "core/standard_webhooks.h"
#include "core/text.h"

#include <fmt/format.h>

namespace aios::connectors::detail {
namespace {

constexpr std::size_t key_bytes_max = 64;

}  // namespace

Result<std::string> webhook_key(std::string_view secret) {
  auto key = standard_webhook_key(secret);
  if (!key.ok() || key->size() > key_bytes_max) {
    return Error(Code::failed_precondition,
                 fmt::format("a secret of {} characters cannot sign, wanted 'whsec_' and base64 of "
                             "1 to {} bytes",
                             secret.size(), key_bytes_max))
        .page(941);
  }
  return key;
}

std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t seconds,
                              std::string_view body) {
  const std::string content = standard_webhook_text(id, std::to_string(seconds), body);
  return std::string(standard_webhook_mark) + to_base64(view(hmac_sha256(key, content)));
}

}  // namespace aios::connectors::detail

// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/webhook.h"

#include "core/crypto.h"
#include "core/text.h"

#include <fmt/format.h>

namespace aios::connectors::detail {
namespace {

constexpr std::string_view prefix = "whsec_";
constexpr std::size_t key_bytes_max = 64;

}  // namespace

Result<std::string> webhook_key(std::string_view secret) {
  const std::string_view text = secret.starts_with(prefix) ? secret.substr(prefix.size()) : secret;
  auto key = from_base64(text);
  if (!key.ok() || key->empty() || key->size() > key_bytes_max) {
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
  const std::string content = fmt::format("{}.{}.{}", id, seconds, body);
  return "v1," + to_base64(view(hmac_sha256(key, content)));
}

}  // namespace aios::connectors::detail

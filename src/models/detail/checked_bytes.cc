// SPDX-License-Identifier: Apache-2.0
#include "models/detail/checked_bytes.h"

#include "core/crypto.h"

#include <fmt/format.h>

namespace aios::models::detail {

std::string with_checksum(std::string body) {
  const Digest digest = sha256(body);
  body.append(view(digest));
  return body;
}

Result<std::string_view> without_checksum(std::string_view bytes) {
  constexpr std::size_t digest_size = std::tuple_size_v<Digest>;
  if (bytes.size() <= digest_size) {
    return Error(Code::data_loss,
                 fmt::format("found {} bytes, wanted more than {}", bytes.size(), digest_size));
  }
  const std::string_view body = bytes.substr(0, bytes.size() - digest_size);
  if (view(sha256(body)) != bytes.substr(body.size())) {
    return Error(Code::data_loss, "the checksum does not fit");
  }
  return body;
}

}  // namespace aios::models::detail

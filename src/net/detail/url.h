// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/url: the parts of an http or https URL (RFC 3986, RFC 9110 section 4.2).

#include "core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace aios::net::detail {

struct Url {
  bool tls = false;
  std::string host;  ///< without brackets
  std::uint16_t port = 0;
  std::string authority;  ///< as the Host field has it: the port only where it is not the usual one
  std::string target;     ///< path and query, "/" at least
  std::string origin() const { return (tls ? "https://" : "http://") + authority; }
};
/// @return invalid_argument [AIOS-0311]: another scheme, user info, a bad host or port, characters
///         that must be percent-encoded. A fragment is left out.
Result<Url> parse_url(std::string_view text);

}  // namespace aios::net::detail

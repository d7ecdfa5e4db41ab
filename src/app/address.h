// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/address: the addresses a person gives: where a server is (--server), where ours listens
// (--listen). What is wrong with one is said before anything is sent.

#include "core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace aios::app {

/// "http://host:port" without a trailing "/". invalid_argument [AIOS-1415] naming the part that is
/// wrong: scheme, user, host, port or path.
Result<std::string> server_address(std::string_view text);

struct ListenAddress {
  std::string host;  ///< an IPv6 address without its brackets
  std::uint16_t port = 0;
};
/// HOST:PORT. invalid_argument [AIOS-1406] naming the part that is wrong.
Result<ListenAddress> listen_address(std::string_view text);

}  // namespace aios::app

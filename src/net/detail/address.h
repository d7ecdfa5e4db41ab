// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/address: which addresses are none of the public network. Included by .cc files of
// sockets only. Source: the IANA registries of special-purpose addresses (RFC 6890, RFC 8190).

#include <boost/asio/ip/address.hpp>

namespace aios::net::detail {

/// Loopback, private, shared, link-local, benchmarking, multicast, reserved and unspecified
/// addresses, and IPv6 addresses that stand for such an IPv4 one (mapped, compatible, NAT64, 6to4).
bool is_private(const boost::asio::ip::address& address);

}  // namespace aios::net::detail

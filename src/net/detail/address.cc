// SPDX-License-Identifier: Apache-2.0
#include "net/detail/address.h"

#include "core/text.h"
#include "net/client.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace aios::net {

namespace detail {

namespace {

using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

struct Block {
  std::uint32_t network;
  std::uint32_t bits;
};
constexpr std::array<Block, 13> special = {{
    {0x00000000, 8},   // this network
    {0x0A000000, 8},   // private
    {0x64400000, 10},  // shared (carrier-grade NAT)
    {0x7F000000, 8},   // loopback
    {0xA9FE0000, 16},  // link-local, where clouds keep their metadata
    {0xAC100000, 12},  // private
    {0xC0000000, 24},  // protocol assignments
    {0xC0000200, 24},  // documentation
    {0xC0A80000, 16},  // private
    {0xC6120000, 15},  // benchmarking
    {0xC6336400, 24},  // documentation
    {0xCB007100, 24},  // documentation
    {0xE0000000, 3},   // multicast and reserved, broadcast among them
}};

bool is_private_v4(std::uint32_t address) {
  return std::any_of(special.begin(), special.end(), [address](const Block& block) {
    return ((address ^ block.network) >> (32 - block.bits)) == 0;
  });
}

std::uint32_t four_at(const address_v6::bytes_type& bytes, std::size_t at) {
  return (std::uint32_t{bytes[at]} << 24) | (std::uint32_t{bytes[at + 1]} << 16) |
         (std::uint32_t{bytes[at + 2]} << 8) | std::uint32_t{bytes[at + 3]};
}

bool is_private_v6(const address_v6::bytes_type& bytes) {
  constexpr std::uint32_t nat64 = 0x0064FF9B;
  const bool zeros = std::all_of(bytes.begin(), bytes.begin() + 10, [](auto b) { return b == 0; });
  const bool mapped = zeros && bytes[10] == 0xFF && bytes[11] == 0xFF;
  const bool compatible = zeros && bytes[10] == 0 && bytes[11] == 0;  // :: and ::1 too
  if (mapped || compatible) {
    return compatible || is_private_v4(four_at(bytes, 12));
  }
  if (four_at(bytes, 0) == nat64 && four_at(bytes, 4) == 0 && four_at(bytes, 8) == 0) {
    return is_private_v4(four_at(bytes, 12));
  }
  if (bytes[0] == 0x20 && bytes[1] == 0x02) {  // 6to4
    return is_private_v4(four_at(bytes, 2));
  }
  const bool documentation = four_at(bytes, 0) == 0x20010DB8;
  return documentation || (bytes[0] & 0xE0) != 0x20;  // global unicast is 2000::/3
}

}  // namespace

bool is_private(const boost::asio::ip::address& address) {
  return address.is_v4() ? is_private_v4(address.to_v4().to_uint())
                         : is_private_v6(address.to_v6().to_bytes());
}

}  // namespace detail

bool is_private_host(std::string_view host) {
  const std::string name = ascii_lower(host);
  if (name == "localhost" || name.ends_with(".localhost")) {
    return true;
  }
  boost::system::error_code none;
  const auto address = boost::asio::ip::make_address(name, none);
  return !none && detail::is_private(address);
}

}  // namespace aios::net

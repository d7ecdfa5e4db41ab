// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/peer_counts: how many connections each address has. Threading: any.

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace aios::net::detail {

/// "192.0.2.1:8080" as "192.0.2.1", "[2001:db8::1]:80" as "[2001:db8::1]".
inline std::string address_of(std::string_view peer) {
  return std::string(peer.substr(0, peer.rfind(':')));
}

class PeerCounts {
 public:
  /// @return how many it has with this one
  std::uint32_t enter(const std::string& address) {
    std::lock_guard lock(mutex_);
    return ++counts_[address];
  }
  void leave(const std::string& address) {
    std::lock_guard lock(mutex_);
    const auto found = counts_.find(address);
    if (--found->second == 0) {
      counts_.erase(found);
    }
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::uint32_t> counts_;
};

}  // namespace aios::net::detail

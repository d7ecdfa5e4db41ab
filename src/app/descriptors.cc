// SPDX-License-Identifier: Apache-2.0
#include "app/descriptors.h"

#include <algorithm>

#include <sys/resource.h>

namespace aios::app {
namespace {

constexpr std::uint64_t connections_most = 10'000;
constexpr std::uint64_t kept_most = 512;  // for everything but connections

}  // namespace

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 0;
  }
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

std::uint32_t connections_for(std::uint64_t descriptors) {
  const std::uint64_t kept = std::min(kept_most, descriptors / 3);
  const std::uint64_t sockets = descriptors - kept;
  // An eighth more are open for a moment while they are turned away (net/server).
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(sockets / 9 * 8, 1, connections_most));
}

}  // namespace aios::app

// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/refusals: how many refused events get an audit leaf of their own. A sender that policy
// refuses may go on sending: beyond the first few of a minute its refusals are counted, and the
// next leaf says how many it stands for. Threading: any.

#include "core/context.h"
#include "core/time.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace aios::ingress {

class Refusals {
 public:
  static constexpr std::uint64_t leaves_per_minute = 10;
  static constexpr std::size_t sources_max = 1'000;

  /// @return how many refusals of this tenant and source the leaf made now stands for; 0: it is
  ///         told of with a later one. Sources beyond sources_max share a count, named "".
  struct Told {
    std::uint64_t count = 0;
    bool shared = false;
  };
  Told add(const TenantId& tenant, const std::string& source, Instant now);
  /// The leaf could not be committed: the next one stands for these too.
  void put_back(const TenantId& tenant, const std::string& source, std::uint64_t count);

 private:
  using Key = std::pair<TenantId, std::string>;
  struct Minute {
    Instant began;
    std::uint64_t leaves = 0;
    std::uint64_t untold = 0;
  };
  Minute& minute_of(const TenantId& tenant, const std::string& source, Instant now, bool* shared);
  std::mutex mutex_;
  std::map<Key, Minute> minutes_;
};

}  // namespace aios::ingress

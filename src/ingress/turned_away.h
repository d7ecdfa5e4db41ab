// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/turned_away: what this server turned away at its doors since it started, counted by
// source and reason, for whoever runs it. Kept in memory: the audit log is what lasts.
// Threading: any.

#include "core/context.h"
#include "core/time.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace aios::ingress {

class TurnedAway {
 public:
  static constexpr std::size_t kept_max = 1'000;  ///< beyond: counted under an empty source

  struct Row {
    TenantId tenant;
    std::string source;  ///< that was declared, by name; empty: the API, or many together
    std::string why;     ///< "signature", "late", "rate", "unknown", "policy", "source" or "file"
    std::uint64_t count = 0;
    Time last;
  };
  void add(const TenantId& tenant, const std::string& source, const std::string& why, Time now);
  /// Those that went on after `since`, with all their counts since the start.
  std::vector<Row> after(Time since) const;

 private:
  struct Seen {
    std::uint64_t count = 0;
    Time last;
  };
  mutable std::mutex mutex_;
  std::map<std::tuple<TenantId, std::string, std::string>, Seen> seen_;
};

}  // namespace aios::ingress

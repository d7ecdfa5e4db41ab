// SPDX-License-Identifier: Apache-2.0
#include "ingress/turned_away.h"

#include <algorithm>

namespace aios::ingress {

void TurnedAway::add(const TenantId& tenant, const std::string& source, const std::string& why,
                     Time now) {
  const std::lock_guard lock(mutex_);
  std::tuple key(tenant, source, why);
  if (seen_.size() >= kept_max && !seen_.contains(key)) {
    key = {default_tenant(), "", why};
  }
  Seen& seen = seen_[key];
  ++seen.count;
  seen.last = std::max(seen.last, now);
}

std::vector<TurnedAway::Row> TurnedAway::after(Time since) const {
  const std::lock_guard lock(mutex_);
  std::vector<Row> out;
  for (const auto& [key, seen] : seen_) {
    const auto& [tenant, source, why] = key;
    if (seen.last >= since) {
      out.push_back({tenant, source, why, seen.count, seen.last});
    }
  }
  return out;
}

}  // namespace aios::ingress

// SPDX-License-Identifier: Apache-2.0
#include "ingress/refusals.h"

namespace aios::ingress {
namespace {

constexpr Duration minute = std::chrono::minutes(1);

}  // namespace

/// A source that has nothing to tell any more gives its place to another.
Refusals::Minute& Refusals::minute_of(const TenantId& tenant, const std::string& source,
                                      Instant now, bool* shared) {
  const auto found = minutes_.find({tenant, source});
  if (found != minutes_.end()) {
    return found->second;
  }
  if (minutes_.size() >= sources_max) {
    std::erase_if(minutes_, [now](const auto& entry) {
      return entry.second.untold == 0 && now - entry.second.began >= minute;
    });
  }
  *shared = minutes_.size() >= sources_max;
  return minutes_[{tenant, *shared ? "" : source}];
}

Refusals::Told Refusals::add(const TenantId& tenant, const std::string& source, Instant now) {
  const std::lock_guard lock(mutex_);
  Told told;
  Minute& at = minute_of(tenant, source, now, &told.shared);
  if (at.leaves == 0 || now - at.began >= minute) {
    at.began = now;
    at.leaves = 0;
  }
  ++at.untold;
  if (at.leaves < leaves_per_minute) {
    ++at.leaves;
    told.count = std::exchange(at.untold, 0);
  }
  return told;
}

void Refusals::put_back(const TenantId& tenant, const std::string& source, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  auto found = minutes_.find({tenant, source});
  if (found == minutes_.end()) {
    found = minutes_.find({tenant, ""});
  }
  if (found != minutes_.end()) {
    found->second.untold += count;
  }
}

}  // namespace aios::ingress

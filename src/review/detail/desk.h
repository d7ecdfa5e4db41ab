// SPDX-License-Identifier: Apache-2.0
#pragma once
// review/detail/desk: the reviews that wait, of each tenant, by id and by urgency, in memory and
// without what is sealed. A view of the store: read from it when it is wanted first, kept up to
// date by what is committed, and thrown away when that is not known.
// Threading: any; each call holds a lock for microseconds a hundred entries.

#include "core/ids.h"
#include "review/queue.h"

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace aios::review {

class Desk {
 public:
  /// Whether the tenant's index is whole.
  bool whole(const TenantId& tenant) const;
  /// Somebody reads the store for it: what is committed from now on is not undone by what was read
  /// before. @return to be given to end()
  std::uint64_t begin(const TenantId& tenant);
  void end(const TenantId& tenant, std::uint64_t generation, bool complete);
  /// Newer versions only. One that no longer waits leaves the index.
  void put(const TenantId& tenant, ReviewInfo info);
  void forget(const TenantId& tenant);
  void drop(const TenantId& tenant, const std::string& id);

  /// invalid_argument [AIOS-0617] when `after` is no place in that order.
  Result<QueuePage> pick(const TenantId& tenant, const QueueQuery& query, Time now) const;
  QueueCounts counts(const TenantId& tenant, Time now) const;
  std::size_t size(const TenantId& tenant) const;

 private:
  using Urgency = std::tuple<int, std::int64_t, std::string>;  // first: most urgent
  struct Tenant {
    std::map<std::string, ReviewInfo, std::less<>> by_id;
    std::set<Urgency> by_urgency;
    std::map<std::string, std::uint64_t> gone;  // version that left, while somebody reads
    std::uint64_t generation = 0;
    std::uint32_t readers = 0;
    bool whole = false;
  };
  static Urgency urgency_of(const ReviewInfo& info);
  static void erase(Tenant& tenant, const std::string& id);
  const Tenant* find(const TenantId& tenant) const;

  mutable std::mutex mutex_;
  std::map<TenantId, Tenant> tenants_;
};

}  // namespace aios::review

// SPDX-License-Identifier: Apache-2.0
#include "review/detail/desk.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace aios::review {
namespace {

/// A summary keeps nothing that is sealed: erasing a person must not have to reach memory.
ReviewInfo clear_of(ReviewInfo info) {
  info.title.clear();
  info.form_schema = nullptr;
  info.evidence = nullptr;
  info.suggestion = nullptr;
  info.answer = nullptr;
  if (info.proposal) {
    info.proposal->answer = nullptr;
  }
  if (info.sent_back) {
    info.sent_back->reason.clear();
  }
  return info;
}

bool named(const std::string& workflow, const std::string& wanted) {
  const auto slash = workflow.find('/');
  return workflow == wanted ||
         (slash != std::string::npos && std::string_view(workflow).substr(slash + 1) == wanted);
}

bool any_of(const std::vector<std::string>& roles, const std::vector<std::string>& wanted) {
  return std::any_of(roles.begin(), roles.end(), [&](const std::string& role) {
    return std::find(wanted.begin(), wanted.end(), role) != wanted.end();
  });
}

bool is_overdue(const ReviewInfo& info, Time now) {
  return info.overdue || (info.due && *info.due <= now);
}

bool fits(const ReviewInfo& info, const QueueQuery& query, Time now) {
  const Claim* claim = info.claim_at(now);
  const auto& may = info.status == "approval" ? info.approvers : info.assignees;
  return (query.status.empty() || info.status == query.status) &&
         (query.roles.empty() || any_of(may, query.roles)) &&
         (query.workflow.empty() || named(info.workflow, query.workflow)) &&
         (query.claimed_by.empty() || (claim != nullptr && claim->by == query.claimed_by)) &&
         (!query.claimed || *query.claimed == (claim != nullptr)) &&
         (!query.overdue || *query.overdue == is_overdue(info, now)) &&
         info.priority >= query.priority_min;
}

template <class Number>
bool take_number(std::string_view& text, Number* out) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) {
    return false;
  }
  const auto digits = text.substr(0, dot);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), *out);
  text.remove_prefix(dot + 1);
  return read.ec == std::errc() && read.ptr == digits.data() + digits.size();
}

}  // namespace

Desk::Urgency Desk::urgency_of(const ReviewInfo& info) {
  const auto due = info.due ? info.due->ns : std::numeric_limits<std::int64_t>::max();
  return {-info.priority, due, info.id};
}

const Desk::Tenant* Desk::find(const TenantId& tenant) const {
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? nullptr : &found->second;
}

bool Desk::whole(const TenantId& tenant) const {
  const std::lock_guard lock(mutex_);
  const Tenant* found = find(tenant);
  return found != nullptr && found->whole;
}

std::uint64_t Desk::begin(const TenantId& tenant) {
  const std::lock_guard lock(mutex_);
  Tenant& entry = tenants_[tenant];
  if (!entry.whole && entry.readers == 0) {
    entry.by_id.clear();  // of a reading that failed: nobody has kept it up to date since
    entry.by_urgency.clear();
  }
  ++entry.readers;
  return entry.generation;
}

void Desk::end(const TenantId& tenant, std::uint64_t generation, bool complete) {
  const std::lock_guard lock(mutex_);
  Tenant& entry = tenants_[tenant];
  entry.whole = entry.whole || (complete && entry.generation == generation);
  if (--entry.readers == 0) {
    entry.gone.clear();
  }
}

void Desk::erase(Tenant& tenant, const std::string& id) {
  const auto found = tenant.by_id.find(id);
  if (found != tenant.by_id.end()) {
    tenant.by_urgency.erase(urgency_of(found->second));
    tenant.by_id.erase(found);
  }
}

void Desk::put(const TenantId& tenant, ReviewInfo info) {
  const std::lock_guard lock(mutex_);
  Tenant& entry = tenants_[tenant];
  if (!entry.whole && entry.readers == 0) {
    return;  // whoever reads the store later finds it there
  }
  const auto known = entry.by_id.find(info.id);
  const auto gone = entry.gone.find(info.id);
  const bool old = (known != entry.by_id.end() && known->second.version > info.version) ||
                   (gone != entry.gone.end() && gone->second >= info.version);
  if (old) {
    return;
  }
  const std::string id = info.id;
  erase(entry, id);
  if (info.waits()) {
    entry.by_urgency.insert(urgency_of(info));
    entry.by_id.emplace(id, clear_of(std::move(info)));
  } else if (entry.readers != 0) {
    entry.gone[id] = info.version;
  }
}

void Desk::drop(const TenantId& tenant, const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = tenants_.find(tenant); found != tenants_.end()) {
    erase(found->second, id);
  }
}

void Desk::forget(const TenantId& tenant) {
  const std::lock_guard lock(mutex_);
  Tenant& entry = tenants_[tenant];
  entry.by_id.clear();
  entry.by_urgency.clear();
  entry.whole = false;
  ++entry.generation;
}

Result<QueuePage> Desk::pick(const TenantId& tenant, const QueueQuery& query, Time now) const {
  QueuePage out;
  const auto add = [&](const ReviewInfo& info) {  // false: the page is full, and there is more
    if (!fits(info, query, now)) {
      return true;
    }
    if (out.items.size() == query.limit) {
      const auto& last = out.items.back();
      const auto [priority, due, id] = urgency_of(last);
      out.next =
          query.order == QueueOrder::oldest ? last.id : fmt::format("{}.{}.{}", priority, due, id);
      return false;
    }
    out.items.push_back(info);
    return true;
  };
  const std::lock_guard lock(mutex_);
  const Tenant* found = find(tenant);
  if (query.order == QueueOrder::oldest) {
    if (found != nullptr) {
      auto at = found->by_id.upper_bound(query.after);
      while (at != found->by_id.end() && add(at->second)) {
        ++at;
      }
    }
    return out;
  }
  Urgency after{std::numeric_limits<int>::min(), 0, ""};
  std::string_view rest = query.after;
  if (!rest.empty()) {
    if (!take_number(rest, &std::get<0>(after)) || !take_number(rest, &std::get<1>(after))) {
      return Error(Code::invalid_argument,
                   fmt::format("found '{}' for 'after', wanted the 'next' of a page in this order",
                               excerpt(query.after, 60)))
          .page(617);
    }
    std::get<2>(after) = rest;
  }
  if (found != nullptr) {
    auto at = found->by_urgency.upper_bound(after);
    while (at != found->by_urgency.end() && add(found->by_id.at(std::get<2>(*at)))) {
      ++at;
    }
  }
  return out;
}

QueueCounts Desk::counts(const TenantId& tenant, Time now) const {
  QueueCounts out;
  const std::lock_guard lock(mutex_);
  const Tenant* found = find(tenant);
  if (found == nullptr) {
    return out;
  }
  for (const auto& [id, info] : found->by_id) {
    ++(info.status == "approval" ? out.approval : out.open);
    out.overdue += is_overdue(info, now) ? 1 : 0;
    out.claimed += info.claim_at(now) != nullptr ? 1 : 0;
  }
  return out;
}

std::size_t Desk::size(const TenantId& tenant) const {
  const std::lock_guard lock(mutex_);
  const Tenant* found = find(tenant);
  return found == nullptr ? 0 : found->by_id.size();
}

}  // namespace aios::review

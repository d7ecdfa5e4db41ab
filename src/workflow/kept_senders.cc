// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/kept_senders.h"

#include <algorithm>

namespace aios::workflow {

void KeptSenders::add(const TenantId& tenant, const std::string& label, std::string sender,
                      std::string id) {
  const std::lock_guard lock(mutex_);
  const Key key(tenant, label);
  if (senders_.size() >= types_max && !senders_.contains(key)) {
    senders_.erase(senders_.begin());
  }
  auto& known = senders_[key];
  known.emplace(std::move(id), std::move(sender));
  if (known.size() > ids_max) {
    known.erase(known.begin());
  }
}

std::vector<std::string> KeptSenders::of_the_busiest(const TenantId& tenant,
                                                     const std::string& label,
                                                     const std::vector<std::string>& kept) {
  const std::lock_guard lock(mutex_);
  auto& known = senders_[Key(tenant, label)];
  std::map<std::string, std::string> still;
  std::map<std::string, std::vector<std::string>> by_sender;
  for (const auto& id : kept) {
    if (const auto found = known.find(id); found != known.end()) {
      by_sender[found->second].push_back(id);
      still.insert(*found);
    }
  }
  known = std::move(still);
  const auto busiest = std::max_element(
      by_sender.begin(), by_sender.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  return busiest == by_sender.end() || busiest->second.size() < 2 ? std::vector<std::string>()
                                                                  : std::move(busiest->second);
}

}  // namespace aios::workflow

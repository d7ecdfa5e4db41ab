// SPDX-License-Identifier: Apache-2.0
#include "store/detail/delta.h"

#include <algorithm>

namespace aios::store::detail {

DeltaStream Delta::summary(const std::vector<DeltaWrite>& writes) {
  DeltaStream out;
  out.last = writes.back();
  for (auto write = writes.rbegin(); write != writes.rend(); ++write) {
    if (write->stream().state) {
      out.state = *write;
      break;
    }
  }
  return out;
}

std::optional<std::uint64_t> Delta::version(const std::string& key) const {
  std::shared_lock lock(mutex_);
  auto found = streams_.find(key);
  return found == streams_.end() ? std::nullopt : std::optional(found->second.back().version());
}

std::optional<DeltaStream> Delta::stream(const std::string& key) const {
  std::shared_lock lock(mutex_);
  auto found = streams_.find(key);
  return found == streams_.end() ? std::nullopt : std::optional(summary(found->second));
}

std::vector<DeltaWrite> Delta::writes(const std::string& key) const {
  std::shared_lock lock(mutex_);
  auto found = streams_.find(key);
  return found == streams_.end() ? std::vector<DeltaWrite>() : found->second;
}

std::vector<std::pair<std::string, DeltaStream>> Delta::range(const std::string& after,
                                                              const std::string& before,
                                                              std::size_t limit,
                                                              bool newest_first) const {
  std::shared_lock lock(mutex_);
  std::vector<std::pair<std::string, DeltaStream>> out;
  auto first = streams_.upper_bound(after);
  auto last = streams_.lower_bound(before);
  if (after >= before) {
    return out;
  }
  while (first != last && out.size() < limit) {
    if (newest_first) {
      --last;
      out.emplace_back(last->first, summary(last->second));
    } else {
      out.emplace_back(first->first, summary(first->second));
      ++first;
    }
  }
  return out;
}

std::vector<TableWake> Delta::due(Time until, std::size_t limit) const {
  std::shared_lock lock(mutex_);
  std::vector<TableWake> out;
  for (const auto& [at, key] : wakes_) {
    if (at > until.ns || out.size() >= limit) {
      break;
    }
    out.push_back({key, streams_.at(key).back().version(), Time{at}, 0});
  }
  return out;
}

std::optional<KeptKey> Delta::key(const Fingerprint& fingerprint) const {
  std::shared_lock lock(mutex_);
  auto found = keys_.find(fingerprint);
  return found == keys_.end() ? std::nullopt : std::optional(found->second.record);
}

std::vector<FoldMessage> Delta::outbox(std::uint64_t after, std::size_t limit) const {
  std::shared_lock lock(mutex_);
  std::vector<FoldMessage> out;
  for (auto it = outbox_.upper_bound(after); it != outbox_.end() && out.size() < limit; ++it) {
    if (!outbox_done_.contains(it->first)) {
      const Message& message = it->second;
      out.push_back({it->first, message.record->tenant, message.record->outbox[message.index]});
    }
  }
  return out;
}

bool Delta::outbox_done(std::uint64_t id) const {
  std::shared_lock lock(mutex_);
  return outbox_done_.contains(id);
}

std::vector<DeltaLeaf> Delta::leaves(const std::string& tenant, std::uint64_t from,
                                     std::size_t limit) const {
  std::shared_lock lock(mutex_);
  std::vector<DeltaLeaf> out;
  auto found = leaves_.find(tenant);
  if (found == leaves_.end()) {
    return out;
  }
  const auto& waiting = found->second;
  auto it = std::partition_point(waiting.begin(), waiting.end(), [&](const Leaves& entry) {
    return entry.first + entry.record->leaves.size() <= from;
  });
  for (; it != waiting.end() && out.size() < limit; ++it) {
    for (std::size_t i = 0; i < it->record->leaves.size() && out.size() < limit; ++i) {
      if (it->first + i >= from) {
        out.push_back({it->first + i, it->record->leaves[i].bytes});
      }
    }
  }
  return out;
}

std::optional<std::uint64_t> Delta::leaf_end(const std::string& tenant) const {
  std::shared_lock lock(mutex_);
  auto found = leaves_.find(tenant);
  if (found == leaves_.end()) {
    return std::nullopt;
  }
  const Leaves& last = found->second.back();
  return last.first + last.record->leaves.size();
}

std::vector<std::string> Delta::tenants_with_leaves() const {
  std::shared_lock lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [tenant, waiting] : leaves_) {
    out.push_back(tenant);
  }
  return out;
}

std::optional<std::uint64_t> Delta::assigned_key(const std::string& tenant,
                                                 const Fingerprint& subject) const {
  std::shared_lock lock(mutex_);
  auto found = assigned_.find(account_key(tenant, view(subject)));
  return found == assigned_.end() ? std::nullopt : std::optional(found->second.key_id);
}

}  // namespace aios::store::detail

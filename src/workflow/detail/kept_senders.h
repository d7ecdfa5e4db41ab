// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/kept_senders: who sent the events that wait for a run that listens, so that who
// sends many pushes out none but its own. In memory: of what was kept before the process began
// nothing is known. Threading: any.

#include "core/ids.h"

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace aios::workflow {

class KeptSenders {
 public:
  /// @param label  of the events' type
  void add(const TenantId& tenant, const std::string& label, std::string sender, std::string id);
  /// Of those that are kept, oldest first: those of the sender that has the most, when it has more
  /// than one. Forgets all that are kept no more.
  std::vector<std::string> of_the_busiest(const TenantId& tenant, const std::string& label,
                                          const std::vector<std::string>& kept);

 private:
  static constexpr std::size_t ids_max = 4'000;  // of a type; the oldest are forgotten
  static constexpr std::size_t types_max = 1'000;
  using Key = std::pair<TenantId, std::string>;
  std::mutex mutex_;
  std::map<Key, std::map<std::string, std::string>> senders_;  // by id, which follow the time
};

}  // namespace aios::workflow

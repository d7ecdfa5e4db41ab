// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/installed: the definitions that tenants have, and those that runs still need.

#include "core/ids.h"
#include "workflow/detail/definition.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace aios::workflow {

struct InstalledDefinitions {
  mutable std::mutex definitions_mutex;
  struct Installed {
    std::map<std::string, std::vector<std::shared_ptr<const Definition>>> by_name;  ///< newest last
  };
  std::map<TenantId, Installed> installed;
  /// By digest; what no installation and no run in memory refers to is gone.
  std::map<std::string, std::weak_ptr<const Definition>, std::less<>> known;
  std::map<TenantId, std::map<std::string, std::string>>
      kept;  ///< digest -> blob, of those installed
};

}  // namespace aios::workflow

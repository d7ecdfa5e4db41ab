// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/tenants: who shares this installation. The first tenant is there from the start; others
// are made while the server runs, each with the region where its data may stay, as streams of kind
// tenant in the first tenant. What a tenant has (keys, bundle, runs, log, budgets) is its own.
// Threading: any thread; the table is read under a short lock, never held across a wait.

#include "core/context.h"
#include "core/result.h"
#include "govern/guard.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "store/store.h"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace aios::govern {

struct TenantInfo {
  TenantId id;
  std::string region;
  Time created;  ///< of the first tenant 1970: it is as old as the data directory
};

class Tenants {
 public:
  static constexpr std::size_t tenants_max = 1'000;

  /// All outlive it.
  Tenants(store::Store& store, Guard& guard, runtime::Clock& clock);
  /// Tells the guard where the data of each may stay; call once, before anything is asked of it.
  /// @param region  of the first tenant, which is a setting of the server.
  Task<Result<void>> load(Context ctx, std::string region);
  /// Made already with the same region: nothing happens, and it is answered as it was made. With a
  /// leaf in the first tenant's log.
  /// @return permission_denied [AIOS-0518] for a caller of another tenant than the first;
  ///         already_exists [AIOS-0519]: it is there with another region; invalid_argument
  ///         [AIOS-0010, 0519]; resource_exhausted [AIOS-0519] at tenants_max.
  Task<Result<TenantInfo>> create(Context ctx, std::string name, std::string region);
  /// By name. permission_denied [AIOS-0518] as create().
  Result<std::vector<TenantInfo>> list(const Context& ctx) const;

 private:
  void put(const TenantInfo& tenant);
  Result<std::optional<TenantInfo>> known(const TenantInfo& wanted) const;

  store::Store& store_;
  Guard& guard_;
  runtime::Clock& clock_;
  mutable std::mutex mutex_;
  std::map<TenantId, TenantInfo> tenants_;
};

}  // namespace aios::govern

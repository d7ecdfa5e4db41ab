// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/tenants: who shares this installation. The first tenant is there from the start; others
// are made while the server runs. Each has the region where its data may stay, recorded as a stream
// of kind tenant in the first tenant: of that one too, by the first start. What a tenant has (keys,
// bundle, runs, log, budgets) is its own.
// Threading: any thread; the table is read under a short lock, never held across a wait.

#include "core/context.h"
#include "core/result.h"
#include "govern/guard.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "store/store.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::govern {

struct TenantInfo {
  TenantId id;
  std::string region;
  Time created;  ///< of the first tenant 1970: it is as old as the data directory
};

/// Whether a start may give the first tenant another region than the one that is recorded.
enum class RegionChange : std::uint8_t { refuse, take };

/// What a start says of the first tenant's region.
struct SaidRegion {
  std::string name;  ///< empty: nothing, so the one that is recorded
  RegionChange change = RegionChange::refuse;
};

class Tenants {
 public:
  static constexpr std::size_t tenants_max = 1'000;
  static constexpr std::string_view region_default = "eu";

  /// All outlive it.
  Tenants(store::Store& store, Guard& guard, runtime::Clock& clock);
  /// Tells the guard where the data of each may stay; call once, before anything is asked of it.
  /// @param region  of the first tenant, where none is recorded; empty: region_default.
  Task<Result<void>> load(Context ctx, std::string region);
  /// After load(): records the first tenant's region where none is recorded, with a leaf, and where
  /// one is refuses another, or takes it, with a leaf. A store that takes no writes for a while
  /// leaves the recording to the next start.
  /// @return failed_precondition [AIOS-0537]: another one is recorded; invalid_argument
  ///         [AIOS-0519]: what is said is no region.
  Task<Result<void>> hold_region(Context ctx, SaidRegion said);
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
  std::uint64_t first_version_ = 0;  ///< of the first tenant's record; 0: there is none
  mutable std::mutex mutex_;
  std::map<TenantId, TenantInfo> tenants_;
};

}  // namespace aios::govern

// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/order: runs of one ordering key (of one tenant and workflow) act one after the
// other, in the order they were started. A run is in its key's line from the commit that starts it
// to the one with which it ends or begins to wait for a person, and at the end of it again from the
// commit with which it is tried again after a fault; until the runs before it have left,
// it waits with the reason `turn` and has done nothing. Its place is a stream of its own (kind
// `turn`, the run's id), written with those two commits, so that a crash neither loses a place nor
// keeps one. Threading: any.

#include "core/context.h"
#include "core/result.h"
#include "runtime/task.h"
#include "store/store.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace aios::workflow {

class Order {
 public:
  /// Runs in all lines; beyond it a start is told to come again, unless its tenant has few: what
  /// one tenant's runs wait for holds up no other's.
  static constexpr std::size_t places_max = 100'000;
  static constexpr std::size_t tenant_max = 50'000;  ///< of one tenant
  static constexpr std::size_t tenant_few = 1'000;   ///< so many it may always have

  struct Asked {
    TenantId tenant;
    std::string workflow, key;
    std::string run_id;
    std::string subject;        ///< whose key seals the place
    std::uint64_t version = 0;  ///< of the place's stream, which a run that is tried again had once
  };
  /// Reads the tenant's lines, once; before anything else is asked of the tenant.
  Task<Result<void>> read(Context ctx, store::Store* store);
  /// Takes the last place of the line. @return the write that goes with the run's next commit;
  ///         unavailable (Retry::same_call) when the tenant's lines, or all together, are full.
  Result<store::StreamWrite> enter(const Asked& asked, Time now);
  /// Whether nobody is before the run; also of one that is in no line.
  bool is_first(const std::string& run_id) const;
  /// Who stands right before it; empty: nobody.
  std::string before(const std::string& run_id) const;
  bool has(const std::string& run_id) const;
  /// Puts into the transition that the run gives its place back, which happens by leave().
  void give_back(const std::string& run_id, store::Transition* transition) const;
  /// @return who is first now and was not, with its tenant.
  std::optional<std::pair<TenantId, std::string>> leave(const std::string& run_id);
  /// Who is first in each line of a tenant.
  std::vector<std::string> first_of(const TenantId& tenant) const;

 private:
  using Key = std::pair<TenantId, std::string>;  // workflow, a line feed, key
  struct Place {
    Key line;
    std::int64_t number = 0;
    std::uint64_t version = 1;  ///< of its stream
  };
  using Line = std::map<std::int64_t, std::string>;  // number -> run
  std::optional<Error> full(const TenantId& tenant) const;
  void put(const std::string& run_id, Place place);

  mutable std::mutex mutex_;
  std::map<Key, Line> lines_;
  std::map<std::string, Place, std::less<>> places_;
  std::map<TenantId, std::size_t> counts_;  // places by tenant
  std::set<TenantId> read_;
  std::int64_t last_ = 0;  // number given out
};

}  // namespace aios::workflow

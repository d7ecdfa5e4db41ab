// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/listening: for which types of events runs wait, and a bound on how many wait for
// one. Numbers in memory are never too low; where one says "full", the store is asked. So a run
// that parks, and an event that comes, pay for a count only near the bound.
// Threading: any.

#include "core/context.h"
#include "core/result.h"
#include "runtime/task.h"
#include "store/store.h"
#include "workflow/detail/definitions.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace aios::workflow {

/// The status of a listener that waits and of an event that is kept.
inline constexpr std::string_view listed_status = "waiting";

class Listening {
 public:
  explicit Listening(std::uint32_t each_max) : each_max_(each_max) {}

  /// One more run is about to wait for the type. @return resource_exhausted [AIOS-1080] when as
  /// many as may wait for it do; the store's own.
  Task<Result<void>> enter(Context ctx, store::Store* store, std::string type);
  /// Whether a run waits for the type, or did since this process began.
  Task<Result<bool>> known(Context ctx, store::Store* store, std::string type);
  /// Engine::listens() and Engine::wanted().
  Task<Result<bool>> listens(Context ctx, store::Store* store, const Definitions* definitions,
                             std::string type);
  Task<Result<bool>> wanted(Context ctx, store::Store* store, const Definitions* definitions,
                            std::string type);

 private:
  using Key = std::pair<TenantId, std::string>;  // label of a type
  Task<Result<void>> read(Context ctx, store::Store* store);

  const std::uint32_t each_max_;
  std::mutex mutex_;
  std::map<Key, std::uint64_t> waiting_;  // at most so many
  std::set<TenantId> read_;
};

}  // namespace aios::workflow

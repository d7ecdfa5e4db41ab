// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/detail/room: whether there is room for one more event. Asked before anything of it is
// written: a sender that is told to come back has lost nothing. Threading: any.

#include "core/context.h"
#include "core/result.h"
#include "ingress/ingress.h"
#include "runtime/task.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

namespace aios::ingress {

class Room {
 public:
  explicit Room(const IngressServices& services) : services_(services) {}
  /// unavailable [AIOS-1207] (Retry::same_call, with the pause) when there is none.
  Task<std::optional<Error>> full(Context ctx);

 private:
  struct Counted {
    Instant at;
    std::uint64_t runs = 0;
  };
  Task<std::uint64_t> waiting_runs(Context ctx);

  const IngressServices& services_;
  std::mutex mutex_;
  std::map<TenantId, Counted> counted_;
};

}  // namespace aios::ingress

// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/detail/room: whether there is room for one more event, run or task. Asked before anything
// of it is written: a sender that is told to come back has lost nothing. Threading: any.

#include "core/context.h"
#include "core/result.h"
#include "ingress/ingress.h"
#include "runtime/task.h"

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>

namespace aios::ingress {

class Room {
 public:
  explicit Room(const IngressServices& services) : services_(services) {}
  /// unavailable [AIOS-1207] (Retry::same_call, with the pause) when there is none: for anybody, or
  /// for this tenant, whose own are too large a part of what the store has to fold while others
  /// send too. What is let in counts as the tenant's until it is folded.
  /// @param bytes  of the event
  Task<std::optional<Error>> full(Context ctx, std::uint64_t bytes);
  /// Of the tenant's part alone, for what is written beside events.
  std::optional<Error> above_share(const TenantId& tenant, std::uint64_t bytes);

 private:
  /// Bytes let in, by tenant, of commits that are not folded.
  class Shares {
   public:
    void let_in(const TenantId& tenant, std::uint64_t bytes, const store::StoreStats& stats,
                Instant now);
    void forget_folded(std::uint64_t folded);
    /// Of all that was let in, the tenant's part.
    double part_of(const TenantId& tenant) const;
    bool others_send(const TenantId& tenant, Instant now) const;

   private:
    struct LetIn {
      std::uint64_t sequence = 0;
      TenantId tenant;
      std::uint64_t bytes = 0;
    };
    struct Of {
      std::uint64_t bytes = 0;
      Instant last;
    };
    std::deque<LetIn> let_in_;
    std::map<TenantId, Of> tenants_;
    std::uint64_t all_ = 0;
  };
  std::optional<Error> above_share(const TenantId& tenant, std::uint64_t bytes,
                                   const store::StoreStats& stats);
  struct Counted {
    Instant at;
    std::uint64_t runs = 0;
  };
  Task<std::uint64_t> waiting_runs(Context ctx);

  const IngressServices& services_;
  std::mutex mutex_;
  std::map<TenantId, Counted> counted_;
  Shares shares_;
};

}  // namespace aios::ingress

// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/gate: what stands before every attempt of one connector: a place (concurrency)
// and the breaker. Threading: any shard; locked briefly, never across a wait.

#include "connectors/connectors.h"
#include "core/context.h"
#include "core/result.h"
#include "runtime/backoff.h"
#include "runtime/one_shot.h"
#include "runtime/task.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

namespace aios::connectors::detail {

class Gate {
 public:
  explicit Gate(const Limits& limits) : limits_(limits), breaker_(limits.breaker) {}

  enum class Pass : std::uint8_t {
    normal,
    probe,  ///< the breaker is open: this call finds out whether the peer is back
  };
  /// Waits for a place within ctx, then asks the breaker. After success: leave() once.
  /// @return unavailable [AIOS-0908] with retry_after: the breaker is open;
  ///         resource_exhausted [AIOS-0909]: 1,000 others wait already; or that of ctx.
  Task<Result<Pass>> enter(Context ctx, runtime::Clock& clock);
  /// What enter() would answer now, without taking a place or the probe.
  Result<void> admits(runtime::Clock& clock) const;
  enum class Health : std::uint8_t {
    good,     ///< the peer answered, whatever it said
    bad,      ///< no answer, or one that says the peer is in trouble
    no_word,  ///< nothing was learnt (cancelled, never sent)
  };
  /// @return true: the breaker was open, and it has closed by this
  bool leave(Health health, runtime::Clock& clock);
  std::string breaker_state() const;

 private:
  struct Turn {};
  void give_place();  ///< to the next who waits; called with the mutex held
  mutable std::mutex mutex_;
  const Limits limits_;
  runtime::Breaker breaker_;
  std::uint32_t taken_ = 0;
  std::deque<runtime::OneShot<Turn>> waiting_;
};

/// What an attempt says about its peer.
Gate::Health health_of(Outcome outcome, const Error* error);

}  // namespace aios::connectors::detail

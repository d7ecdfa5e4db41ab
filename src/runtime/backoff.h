// SPDX-License-Identifier: Apache-2.0
#pragma once
// runtime/backoff: how long to pause before the next try (exponential with full jitter), and how
// many tries. Breaker, below, follows the same idea for a whole peer. Threading: one executor.

#include "core/result.h"
#include "core/time.h"
#include "runtime/executor.h"

#include <cstdint>
#include <optional>

namespace aios::runtime {

struct BackoffOptions {
  std::uint32_t retries_max = 3;
  Duration first = std::chrono::milliseconds(100);
  Duration cap = std::chrono::seconds(10);
  double factor = 2.0;
};

class Backoff {
 public:
  Backoff(const BackoffOptions& options, Random& random) : options_(options), random_(&random) {}
  /// The pause before the next try; nothing when the tries are used up or the error says
  /// Retry::never. An error's retry_after() is a lower bound of the pause.
  std::optional<Duration> next(const Error& error);
  std::uint32_t retries() const { return retries_; }

 private:
  BackoffOptions options_;
  Random* random_;
  std::uint32_t retries_ = 0;
};

/// A circuit breaker: closed -> open after `failures_max` consecutive failures -> one probe after
/// `open_for` (doubled up to `open_for_max` at each failed probe) -> closed on success.
class Breaker {
 public:
  struct Options {
    std::uint32_t failures_max = 5;
    Duration open_for = std::chrono::seconds(1);
    Duration open_for_max = std::chrono::seconds(30);
  };
  enum class State : std::uint8_t { closed, open, half_open };
  explicit Breaker(const Options& options) : options_(options) {}
  /// Nothing: go ahead (and report success() or failure()). Else: how long until a probe is
  /// allowed.
  std::optional<Duration> blocked(Instant now);
  void success();
  void failure(Instant now);
  State state() const { return state_; }

 private:
  Options options_;
  State state_ = State::closed;
  std::uint32_t failures_ = 0;
  Duration open_for_{0};
  Instant probe_at_{0};
};

}  // namespace aios::runtime

// SPDX-License-Identifier: Apache-2.0
#pragma once
// runtime/executor: one thread's loop (a shard), seen through an interface, so that the real loop
// (Asio) and the simulated one (one thread, simulated clock, seeded random) run the same code.

#include "core/time.h"

#include <array>
#include <coroutine>
#include <cstdint>
#include <functional>

namespace aios::runtime {

/// Wall and monotonic time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() = 0;
  virtual Instant instant() = 0;
};
Clock& system_clock();

/// Not for keys (see core/crypto secure_random). Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
  double unit();                             ///< [0, 1)
  std::uint64_t below(std::uint64_t bound);  ///< [0, bound), bound > 0
  std::array<unsigned char, 10> id_bytes();
};
Random& system_random();

/// make_id with this thread's clock and random.
std::string new_id(std::string_view prefix, Clock& clock, Random& random);

class Executor {
 public:
  using TimerId = std::uint64_t;
  virtual ~Executor() = default;
  /// Runs the work later on this executor's thread, in the order posted. From any thread.
  virtual void post(std::function<void()> work) = 0;
  virtual void post(std::coroutine_handle<> handle) = 0;
  /// Runs the work at or after `at`. Only on the executor's own thread. Never returns 0.
  virtual TimerId call_at(Instant at, std::function<void()> work) = 0;
  /// Too late is not an error. Only on the executor's own thread.
  virtual void cancel(TimerId timer) = 0;
  virtual Clock& clock() = 0;
  virtual Random& random() = 0;

  /// The executor whose thread this is, or null on other threads.
  static Executor* current();

 protected:
  static void set_current(Executor* executor);
};

}  // namespace aios::runtime

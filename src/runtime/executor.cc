// SPDX-License-Identifier: Apache-2.0
#include "runtime/executor.h"

#include "core/crypto.h"
#include "core/ids.h"
#include "runtime/detail/mix.h"

#include <atomic>
#include <chrono>
#include <cstring>

namespace aios::runtime {
namespace {

class SystemClock final : public Clock {
 public:
  Time now() override {
    const auto since = std::chrono::system_clock::now().time_since_epoch();  // tidy: the one clock
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()};
  }
  Instant instant() override {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();  // tidy: the one clock
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()};
  }
};

/// A counter that starts at a secret place, hashed: no lock, and no state of a thread.
class SystemRandom final : public Random {
 public:
  SystemRandom() {
    const std::string seed = secure_random(sizeof(std::uint64_t) * 2);
    std::uint64_t start = 0;
    std::memcpy(&start, seed.data(), sizeof start);
    std::memcpy(&key_, seed.data() + sizeof start, sizeof key_);
    counter_.store(start);
  }
  std::uint64_t next() override {
    const std::uint64_t at = counter_.fetch_add(detail::golden, std::memory_order_relaxed);
    return detail::mix(detail::mix(at) ^ key_);
  }

 private:
  std::atomic<std::uint64_t> counter_{0};
  std::uint64_t key_ = 0;
};

Executor*& current_slot() {
  thread_local Executor* current = nullptr;  // tidy: a thread knows its loop
  return current;
}

}  // namespace

Clock& system_clock() {
  static Clock* const clock =
      new SystemClock;  // lives as long as the process: no order of destruction
  return *clock;
}

Random& system_random() {
  static Random* const random = new SystemRandom;
  return *random;
}

double Random::unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

std::uint64_t Random::below(std::uint64_t bound) {
  AIOS_ASSERT(bound > 0);
  // Values in the incomplete last round would make small results likelier.
  const std::uint64_t unfair = (UINT64_MAX % bound + 1) % bound;
  for (;;) {
    const std::uint64_t value = next();
    if (value <= UINT64_MAX - unfair) {
      return value % bound;
    }
  }
}

std::array<unsigned char, 10> Random::id_bytes() {
  const std::array<std::uint64_t, 2> words = {next(), next()};
  std::array<unsigned char, 10> bytes{};
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return bytes;
}

std::string new_id(std::string_view prefix, Clock& clock, Random& random) {
  return make_id(prefix, clock.now(), random.id_bytes());
}

Executor* Executor::current() { return current_slot(); }
void Executor::set_current(Executor* executor) { current_slot() = executor; }

}  // namespace aios::runtime

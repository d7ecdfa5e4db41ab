// SPDX-License-Identifier: Apache-2.0
#include "runtime/executor.h"

#include "core/ids.h"

#include <chrono>
#include <random>

namespace aios::runtime {
namespace {

thread_local Executor* current_executor = nullptr;

class SystemClock final : public Clock {
 public:
  Time now() override {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<Duration>(since).count()};
  }
  Instant instant() override {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<Duration>(since).count()};
  }
};

/// One generator a thread, each seeded by the operating system.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override {
    thread_local std::mt19937_64 generator = seeded();
    return generator();
  }

 private:
  static std::mt19937_64 seeded() {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock* const clock = new SystemClock;
  return *clock;
}

Random& system_random() {
  static SystemRandom* const random = new SystemRandom;
  return *random;
}

double Random::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::uint64_t Random::below(std::uint64_t bound) {
  AIOS_ASSERT(bound > 0);
  const std::uint64_t rejected = (0 - bound) % bound;  // so that every result is equally likely
  for (;;) {
    const std::uint64_t value = next();
    if (value >= rejected) {
      return value % bound;
    }
  }
}

std::array<unsigned char, 10> Random::id_bytes() {
  std::array<unsigned char, 10> out{};
  std::uint64_t bits = next();
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i == 8) {
      bits = next();
    }
    out[i] = static_cast<unsigned char>(bits);
    bits >>= 8;
  }
  return out;
}

std::string new_id(std::string_view prefix, Clock& clock, Random& random) {
  return make_id(prefix, clock.now(), random.id_bytes());
}

Executor* Executor::current() { return current_executor; }
void Executor::set_current(Executor* executor) { current_executor = executor; }

}  // namespace aios::runtime

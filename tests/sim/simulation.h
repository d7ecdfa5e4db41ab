// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/sim/simulation: one seed is one history: clients start runs, an outside system loses,
// delays and refuses, events are sent that
// runs listen for or do not, the power fails at any moment, the disk is full for a while. Then the faults
// stop, and what must hold is checked.

#include <cstdint>
#include <string>
#include <vector>

namespace aios::sim {

struct Report {
  std::uint64_t seed = 0;
  std::uint64_t started = 0;  ///< starts that were asked for
  std::uint64_t acked = 0;    ///< of those, answered
  std::uint64_t completed = 0, faulted = 0;
  std::uint64_t crashes = 0, requests = 0, lookups = 0, incidents = 0, leaves = 0;
  std::uint64_t events = 0, delivered = 0;  ///< that runs may listen for
  std::vector<std::string> violations;
};

Report simulate(std::uint64_t seed);

}  // namespace aios::sim

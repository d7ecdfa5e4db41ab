// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/sim/simulation: one seed is one history: clients of two tenants start runs, some of them
// twice, and spend money; an outside system loses, delays and refuses; events are sent that runs
// listen for or do not; the power fails at any moment, or a server is taken for dead and goes on;
// the disk is full for a while, slow, or fails. Then the faults stop, and what must hold is
// checked. What does not hold begins with the name of the invariant, in brackets.

#include "disk.h"

#include <cstdint>
#include <string>
#include <vector>

namespace aios::sim {

struct Report {
  std::uint64_t seed = 0;
  std::uint64_t started = 0;  ///< starts that were asked for
  std::uint64_t acked = 0;    ///< of those, answered
  std::uint64_t completed = 0, faulted = 0;
  std::uint64_t crashes = 0;    ///< of them:
  std::uint64_t cut = 0;        ///< in the middle of the disk's work
  std::uint64_t takeovers = 0;  ///< by a server whose predecessor went on
  std::uint64_t requests = 0, lookups = 0, incidents = 0, leaves = 0;
  std::uint64_t events = 0, delivered = 0;   ///< that runs may listen for
  std::uint64_t rivals = 0;                  ///< starts with a key that another one had
  std::uint64_t spent = 0, too_much = 0;     ///< movements of budgets, and those refused
  std::uint64_t timers = 0;                  ///< waits that were looked at
  std::uint64_t signed_leaves = 0;           ///< under the last checkpoints
  std::uint64_t transitions = 0;             ///< acknowledged
  std::uint64_t in_doubt = 0, survived = 0;  ///< in flight at a crash; of them, found afterwards
  FilesCount files;
  std::vector<std::string> violations;
};

Report simulate(std::uint64_t seed, Kind kind);

}  // namespace aios::sim

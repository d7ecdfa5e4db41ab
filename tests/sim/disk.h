// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/sim/disk: what the simulated server keeps its data on, and how it goes wrong.

#include "files.h"
#include "runtime/executor.h"
#include "store/store.h"

#include <cstdint>
#include <memory>
#include <string>

namespace aios::sim {

class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<store::Store>> open(runtime::Clock& clock) = 0;
  /// The power goes: what was not synced is lost, or torn; the disk has room again. Stores that are
  /// open have only errors from then on.
  virtual void crash() = 0;
  virtual void set_full(bool full) = 0;
  /// A fault of its own, drawn from `dice`, that may come at one of the next calls.
  virtual void threaten(std::uint64_t dice) = 0;
  virtual void calm() = 0;  ///< what threatens comes no more
  /// The power went at a call, or the store ended its process because the disk failed.
  virtual bool ended() const = 0;
  virtual FilesCount count() const { return {}; }
};

enum class Kind : std::uint8_t { memory, sqlite };

std::unique_ptr<Disk> make_disk(Kind kind, std::uint64_t seed);

}  // namespace aios::sim

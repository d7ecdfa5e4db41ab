// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/memory_access: a MemoryDisk, locked, as the store that was opened on it sees it.

#include "store/detail/memory_disk.h"

#include <cstdint>
#include <mutex>

namespace aios::store::detail {

inline Error lost_power() { return Error(Code::unavailable, "the disk lost its power").page(407); }

/// Locks the disk and knows whether the store that asks was opened after the last power cut.
class MemoryAccess {
 public:
  MemoryAccess(MemoryDisk& disk, std::uint64_t generation)
      : MemoryAccess(disk, generation, disk.impl().mutex) {}
  MemoryAccess(MemoryDisk& disk, std::uint64_t generation, std::mutex& mutex)
      : disk_(disk.impl()),
        lock_(mutex) {
    alive_ = disk_.generation == generation;
  }
  bool alive() const { return alive_; }
  MemoryDisk::Impl* operator->() const { return &disk_; }
  std::unique_lock<std::mutex>& lock() { return lock_; }

 private:
  MemoryDisk::Impl& disk_;
  std::unique_lock<std::mutex> lock_;
  bool alive_ = false;
};

}  // namespace aios::store::detail

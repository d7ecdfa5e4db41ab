// SPDX-License-Identifier: Apache-2.0
#pragma once
// store/test/memory: an open store in memory, for the tests of other modules.

#include "runtime/executor.h"
#include "store/memory.h"

#include <memory>
#include <string>
#include <utility>

namespace aios::store::test {

/// Opened again on the same disk, it holds what was synced there.
inline std::unique_ptr<Store> open_memory(std::shared_ptr<MemoryDisk> disk, runtime::Clock& clock,
                                          MemoryThreads threads = MemoryThreads::inline_) {
  StoreOptions options;
  options.engine = "memory";
  options.root_key = std::string(32, 'k');
  return open_memory_store(options, std::move(disk), threads, clock).value();
}

}  // namespace aios::store::test

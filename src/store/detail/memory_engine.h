// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/memory_engine: the engine over a MemoryDisk.

#include "store/detail/engine.h"
#include "store/memory.h"

#include <memory>

namespace aios::store::detail {

Result<std::unique_ptr<Engine>> open_memory_engine(std::shared_ptr<MemoryDisk> disk);
/// The disk's root key, made at first use.
std::string memory_root_key(MemoryDisk& disk);

}  // namespace aios::store::detail

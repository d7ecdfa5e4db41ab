// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/memory_keystore: the keystore of a MemoryDisk, under a lock of its own. Threading: any.

#include "store/detail/keystore.h"
#include "store/memory.h"

#include <cstdint>
#include <memory>

namespace aios::store::detail {

/// The disk must outlive it.
/// @param generation  of the disk when the store was opened
std::unique_ptr<KeyStore> memory_keystore(MemoryDisk& disk, std::uint64_t generation);

}  // namespace aios::store::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/signed_memory: what the store remembers of a tenant's last signed checkpoint,
// sealed in a stream of its own, so that a folder that is gone is told from one that never was.

#include "core/crypto.h"
#include "core/result.h"
#include "runtime/task.h"
#include "store/store.h"

#include <cstdint>
#include <string>
#include <vector>

namespace aios::govern::detail {

struct SignedMemory {
  std::uint64_t version = 0;  ///< of the stream; 0: nothing was ever remembered
  std::uint64_t size = 0;
  Digest root{};
  std::string key;  ///< verifier key of the log that was signed
};

/// @return data_loss [AIOS-0532] when what is there is no memory.
Task<Result<SignedMemory>> recall(store::Store& store, Context ctx);
/// Replaces what is remembered, in one commit with the leaves. @return the memory with its new
/// version; aborted when `memory.version` is not the present one.
Task<Result<SignedMemory>> remember(store::Store& store, Context ctx, SignedMemory memory,
                                    std::vector<store::AuditLeaf> leaves);

}  // namespace aios::govern::detail

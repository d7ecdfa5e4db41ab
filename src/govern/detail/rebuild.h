// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/rebuild: a log continues what was signed before. Whose files are missing is written
// again from the store, and says so in a leaf of its own; but only when the store's leaves lead to
// the roots that were signed.

#include "core/context.h"
#include "core/result.h"
#include "govern/detail/signed_memory.h"
#include "govern/detail/tenant_log.h"
#include "runtime/task.h"
#include "store/store.h"

#include <functional>
#include <memory>
#include <string>

namespace aios::govern::detail {

/// Holds the log as it was loaded against what the store remembers. When it is behind, commits the
/// leaf "audit.rebuilt" and tells; the caller then appends from log->size() on. A log under another
/// key than was remembered was begun anew by somebody: that is told too, and its leaves may differ.
/// Nothing is written to the folder. Both references must outlive the task.
/// @param key  the verifier key that signs now
/// @return what is remembered now; data_loss [AIOS-0532] when what was signed and what is there
///         differ: nothing may be signed then.
Task<Result<SignedMemory>> settle(store::Store& store, Context ctx, std::shared_ptr<TenantLog> log,
                                  std::string key, const std::function<void(const Error&)>& tell);

}  // namespace aios::govern::detail

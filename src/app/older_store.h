// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/older_store: a store that is older than the audit log beside it. Whoever copied it away went
// on, so its runs are those of a backup, and ask before they act again. That is found at a start,
// and once for each such store: audit/doubted, which stays with the log, has the last leaf of the
// store that was doubted.

#include "core/result.h"
#include "core/time.h"
#include "govern/audit.h"
#include "observe/log.h"
#include "runtime/task.h"
#include "store/store.h"

#include <optional>
#include <string>

namespace aios::app {

struct OlderStore {
  store::Store* store = nullptr;
  const govern::AuditLog* audit = nullptr;
  const observe::Log* log = nullptr;
  std::string data;  ///< the directory
  Time now;
};

/// To be called before runs are recovered. Where the log has signed leaves that the store lacks,
/// and this store (or what became of it) was not doubted before: leaves a leaf, notes the directory
/// as restored (store/restored.h) and tells the log. All of it is durable then; a start that ends
/// before does it again.
/// @return until when the directory's data count as a backup's; nothing: nothing was noted
Task<Result<std::optional<Time>>> doubt_older_store(OlderStore with);

}  // namespace aios::app

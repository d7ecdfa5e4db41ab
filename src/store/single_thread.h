// SPDX-License-Identifier: Apache-2.0
#pragma once
// store/single_thread: the store of a data directory, without a thread of its own: for a
// simulation, whose seed must replay it. A server opens it with open_store().

#include "store/store.h"

#include <cstdint>
#include <memory>

namespace aios::store {

/// As open_store() with the engine sqlite, but everything is done on the executor's one thread: a
/// batch is what one round of it submitted, a commit folds when enough has come together, and one
/// that makes the journal's log longer than `log_bytes_max` copies it into the file.
/// `on_fatal` may return when nothing is asked of the store any more but to be destroyed.
Result<std::unique_ptr<Store>> open_single_thread_store(const StoreOptions& options,
                                                        std::uint64_t log_bytes_max,
                                                        runtime::Clock& clock);

}  // namespace aios::store

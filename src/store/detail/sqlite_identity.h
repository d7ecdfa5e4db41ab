// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/sqlite_identity: journal.db, tables.db and keystore.db belong together. Each holds the
// identity of its data directory, 16 random bytes in hex, written when the directory is made. A
// file that is lost and made anew, or that came from elsewhere, has another: without the check the
// store would begin an empty journal beside full tables and nobody would notice.

#include "store/detail/sqlite_db.h"

#include <cstdint>
#include <string>

namespace aios::store::detail {

struct DirectoryLayout;

/// A directory of somebody else's files is not taken over: it must be new, empty, hold what a data
/// directory is prepared with (secrets/), or be one. Changes nothing.
/// @return failed_precondition [AIOS-0423], naming a file that is not ours.
Result<void> refuse_foreign(const std::string& directory);

/// Gives a new directory its identity; refuses one whose files do not belong together, before any
/// file is made. A directory whose making was cut off holds no data and is completed.
/// @return failed_precondition [AIOS-0422], naming the file.
Result<void> settle_identity(const DirectoryLayout& layout);

/// A restored directory is another than the one that was copied.
Result<void> renew_identity(const DirectoryLayout& layout);

/// What is folded must have gone through the journal: its last row, or the place it was cut at, is
/// not before the tables' cursor. failed_precondition [AIOS-0422].
Result<void> check_journal_end(const DirectoryLayout& layout, std::uint64_t journal_end,
                               std::uint64_t cursor);

}  // namespace aios::store::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/failpoint: named places where order matters, at which a build for tests can be made to end
// at once, as by SIGKILL. tests/crash kills the server at each of them in turn.
//   AIOS_FAILPOINT=NAME[:PASS]    the process ends at that pass (from 1) of the place
//   AIOS_FAILPOINT_COUNTS=FILE    keeps, over the end of the process, how often each was passed
// Without the build's option AIOS_FAILPOINTS (the release preset) a failpoint is nothing at all.
// Threads: any.

#include <array>
#include <cstddef>
#include <string_view>

namespace aios {

inline constexpr auto failpoints = std::to_array<std::string_view>({
    "journal.opened",            // its log is copied, its epoch not yet raised
    "journal.before_write",      // preconditions hold, nothing is written
    "journal.before_sync",       // written, not durable
    "commit.before_answer",      // durable, nobody was told
    "keystore.key_added",        // a key is durable, nothing is sealed with it
    "fold.before_commit",        // written into the tables, not committed
    "fold.after_commit",         // committed, the delta still holds it
    "tables.synced",             // durable, the journal was not told that it may go
    "file.before_rename",        // a root key or a blob, synced under another name
    "file.after_rename",         // its folder is not synced
    "private_file.renamed",      // a key or an address, its folder is not synced
    "backup.before_rename",      // the archive is whole, under another name
    "retention.before_commit",   // old streams are taken out, not committed
    "effect.before_send",        // the intent is durable, nothing has left
    "effect.after_send",         // it was answered, nothing of that is durable
    "audit.tiles_written",       // the tiles are durable, no checkpoint covers them
    "audit.checkpoint_written",  // signed, under another name
    "audit.checkpoint_renamed",  // the store does not remember it yet
    "deployment.before_record",  // its files are durable, it is not recorded
    "deployment.recorded",       // durable, not installed
    "model.saved",               // its bytes are durable, it has no version
    "outbox.delivered",          // given to whoever takes it, not crossed out
    "outbox.crossed_out",        // that is durable
    "delivery.before_send",      // of a callback or an event that leaves
    "delivery.after_send",       // it was answered, nothing of that is durable
});

/// Does not compile for a name that is not in the list.
consteval std::size_t failpoint_index(std::string_view name) {
  std::size_t index = 0;
  while (failpoints.at(index) != name) {
    ++index;
  }
  return index;
}

void pass_failpoint(std::size_t index) noexcept;

}  // namespace aios

#ifdef AIOS_FAILPOINTS
#define AIOS_FAILPOINT(name) ::aios::pass_failpoint(::aios::failpoint_index(name))
#else
#define AIOS_FAILPOINT(name) static_cast<void>(::aios::failpoint_index(name))
#endif

// SPDX-License-Identifier: Apache-2.0
#pragma once
// store/memory: a store whose disk is memory, with a disk's faults: for tests and for the
// simulation. Several stores may be opened on one disk, one after the other, as a server is started
// again on its directory.

#include "store/store.h"

#include <memory>

namespace aios::store {

/// Threading: any.
class MemoryDisk {
 public:
  MemoryDisk();
  ~MemoryDisk();
  MemoryDisk(const MemoryDisk&) = delete;
  MemoryDisk& operator=(const MemoryDisk&) = delete;

  /// Power cut: loses what was not synced. Stores that are open on the disk get unavailable from
  /// then on.
  void crash();
  /// Writes fail with resource_exhausted until it is switched off.
  void set_full(bool full);
  /// The next sync of the journal fails as a broken disk does.
  void break_next_sync();
  /// Folding meets damaged tables until it is switched off; reads do not.
  void set_tables_damaged(bool on);
  /// Folding finds no room until it is switched off; the journal does.
  void set_tables_full(bool full);
  /// Tables lose at a crash what was folded after their last sync (as a real disk may); costs a
  /// copy at each sync.
  void set_tables_volatile(bool on);
  /// Holds every sync of the journal and every file until it is switched off: what is in flight
  /// stays in flight.
  void hold_syncs(bool hold);
  std::uint32_t held() const;  ///< how many wait for that
  std::uint64_t journal_rows() const;
  /// Flips a bit of what the journal holds at that row and byte. @return false: it has no such byte
  bool damage_journal(std::uint64_t sequence, std::size_t byte);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// inline_: no threads; a batch is what one round of the executor submitted, so that a seed replays
/// it.
enum class MemoryThreads : std::uint8_t { inline_, own };

Result<std::unique_ptr<Store>> open_memory_store(const StoreOptions& options,
                                                 std::shared_ptr<MemoryDisk> disk,
                                                 MemoryThreads threads, runtime::Clock& clock);

}  // namespace aios::store

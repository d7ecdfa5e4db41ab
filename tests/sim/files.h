// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/sim/files: the files that SQLite writes, in memory, as a disk has them: what was synced is
// kept apart from what was written. While an object lives, it is SQLite's file system (a
// sqlite3_vfs) of the whole process. Other files of a data directory (its lock) are real ones in a
// scratch folder. What a power cut leaves of unsynced writes comes from the seed: all, nothing, the
// first of them, or any of their sectors of 512 bytes, old or new. A sector never loses what was
// synced of it before. Threading: one thread.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace aios::sim {

/// What happened, over all lives of the disk.
struct FilesCount {
  std::uint64_t writes = 0, syncs = 0;
  std::uint64_t lost = 0;  ///< writes that a power cut took whole
  std::uint64_t torn = 0;  ///< of which it left some sectors
  std::uint64_t kept = 0;  ///< that survived without a sync
  std::uint64_t failed_syncs = 0;
};

class SimFiles {
 public:
  /// @param there  files by name that the disk has had for long, all of them synced
  SimFiles(std::uint64_t seed, const std::map<std::string, std::string>& there);
  ~SimFiles();
  SimFiles(const SimFiles&) = delete;
  SimFiles& operator=(const SimFiles&) = delete;

  /// Where the files seem to be: another folder after each crash, so that a store that was opened
  /// before has nothing to do with those of now.
  const std::string& directory() const;
  /// The power goes. Whoever has a file open gets an I/O error from everything from then on.
  void crash();
  /// The same at a call to come: of so many writes and syncs the last is not carried out. 0: at
  /// none.
  void crash_at(std::uint64_t calls);
  /// The same right behind a sync: what it made durable is so, and nobody was told.
  void crash_behind_sync(std::uint64_t syncs);
  /// So many syncs from now, one fails, and what it was to make durable never will be. 0: none.
  void fail_sync_at(std::uint64_t syncs);
  /// No file grows until it is switched off.
  void set_full(bool full);
  /// Nothing works any more: crash_at() has come, or end() was called.
  bool ended() const;
  /// As if the process had ended now. crash() decides what is left.
  void end();
  const FilesCount& count() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::sim

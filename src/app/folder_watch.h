// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/folder_watch: whether the files of a folder are others than before. By looking (names, sizes,
// times, inodes): that works on every file system, and for editors that write beside a file and
// rename. Not thread-safe.

#include <string>

namespace aios::app {

class FolderWatch {
 public:
  /// What begins with a dot is not looked at, nor what ends in '~', nor a server's data directory
  /// (it has a journal.db); at most 20,000 entries.
  explicit FolderWatch(std::string folder) : folder_(std::move(folder)) {}
  /// From now on what is there counts as known. Before the files are read: what is saved while they
  /// are read is a change.
  void know();
  /// True once for what is other than known, when two looks in a row saw the same of it: a save of
  /// many files, or in two steps, is one change. Look some times a second.
  bool changed();

 private:
  std::string look() const;

  std::string folder_;
  std::string known_;
  std::string last_;
};

}  // namespace aios::app

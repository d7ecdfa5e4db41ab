// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/files: whole files, read at once and replaced durably: temporary name, fsync,
// rename, fsync of the folders. A crash leaves the old file or the new one.

#include "core/result.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::govern::detail {

/// not_found when absent; data_loss (page 525) when unreadable or above bytes_max.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

/// Several files that become durable together in time, not atomically: for immutable files whose
/// order among each other does not matter.
class StagedFiles {
 public:
  /// Writes the bytes beside the path; folders are made (0700).
  Result<void> put(const std::string& path, std::string_view bytes);
  /// fsync, rename, fsync of the folders. Empty afterwards.
  Result<void> commit();
  std::size_t count() const { return waiting_.size(); }
  StagedFiles() = default;
  ~StagedFiles();
  StagedFiles(const StagedFiles&) = delete;
  StagedFiles& operator=(const StagedFiles&) = delete;

 private:
  struct Waiting {
    std::string path;
    int fd = -1;
  };
  Result<void> make_folders(const std::string& path);
  std::vector<Waiting> waiting_;
  std::set<std::string> folders_;  // to be synced: their list of names changed
};

/// Makes a file that must not exist, mode 0600, durable. already_exists when it does.
Result<void> create_secret_file(const std::string& path, std::string_view bytes);
/// permission_denied (page 520) when group or others may read it.
Result<std::string> read_secret_file(const std::string& path);

}  // namespace aios::govern::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/files: the few things the store does with plain files. Errors name the file and carry page
// 413, or 405 when the disk is full.

#include "core/result.h"
#include "store/file_io.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace aios::store::detail {

Error file_error(std::string_view doing, const std::string& path, int error_number);

/// Creates the directory (0700) when it is not there and takes others' rights from one that is
/// ours.
Result<void> make_private_directory(const std::string& path);
/// Written beside, synced, renamed, the directory synced: after a crash the old file or the new
/// one. Mode 0600.
Result<void> write_file_durably(const std::string& path, std::string_view bytes);
Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max);
/// permission_denied [AIOS-0425], naming the mode, when others may read or write the key file; one
/// that is missing is not refused.
Result<void> refuse_open_to_others(const std::string& path);
Result<void> sync_directory(const std::string& path);
bool exists(const std::string& path);
std::uint64_t file_bytes(const std::string& path);  ///< 0 when there is none

/// A data directory, held as long as the object lives. The directory itself is locked, which no
/// removed file undoes, and the file `lock` in it, which holds the holder's pid.
class DirectoryLock {
 public:
  /// unavailable [AIOS-0409], naming the pid, when somebody holds it.
  static Result<DirectoryLock> take(const std::string& directory);

 private:
  std::unique_ptr<Descriptor> directory_;
  std::unique_ptr<Descriptor> file_;
};

}  // namespace aios::store::detail

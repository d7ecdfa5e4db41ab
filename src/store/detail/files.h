// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/files: the few things the store does with plain files. Errors name the file and carry page
// 413, or 405 when the disk is full.

#include "core/result.h"

#include <cstdint>
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
Result<void> sync_directory(const std::string& path);
bool exists(const std::string& path);
std::uint64_t file_bytes(const std::string& path);  ///< 0 when there is none

/// A lock on a file, held as long as the object lives; the file holds the holder's pid.
class LockFile {
 public:
  /// unavailable, naming the pid, when somebody holds it.
  static Result<LockFile> take(const std::string& path);
  LockFile() = default;
  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

 private:
  int fd_ = -1;
};

}  // namespace aios::store::detail

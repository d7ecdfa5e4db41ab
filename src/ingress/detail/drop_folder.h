// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/detail/drop_folder: a watched folder on the disk. Every name is opened below the root and
// through no symbolic link, so that nothing outside is read or moved. Blocks: on the pool only.

#include "core/result.h"
#include "store/file_io.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::ingress {

/// A file that lies in the folder, as a look sees it.
struct DroppedFile {
  std::string name;
  std::uint64_t size = 0;
  std::int64_t changed_ns = 0;
  std::uint64_t inode = 0;
  bool operator==(const DroppedFile&) const = default;
};

class DropFolder {
 public:
  static constexpr std::size_t names_max = 10'000;  ///< looked at in one look
  /// @param path  relative to the root. failed_precondition [AIOS-1210] where it is not there, is
  ///        no folder, or leads through a link.
  static Result<DropFolder> open(const std::string& root, const std::string& path);
  /// A relative path without "..", empty or hidden parts.
  static bool is_inside(std::string_view path);

  /// Regular files with one name that fit the pattern; not those that begin with '.' or end in
  /// ".part" or ".tmp". Sorted by name.
  Result<std::vector<DroppedFile>> look(const std::string& pattern) const;
  /// The whole file. aborted: it is not as it was seen, look again; resource_exhausted: it has more
  /// than bytes_max.
  Result<std::string> read(const DroppedFile& file, std::size_t bytes_max) const;
  /// failed_precondition [AIOS-1210] where done/ or failed/ is there and no folder.
  Result<void> can_move() const;
  /// Into done/, or into failed/ with a file beside it that says why; under another name where that
  /// one is taken.
  Result<void> move_done(const std::string& name) const;
  Result<void> move_failed(const std::string& name, const std::string& why) const;

 private:
  using Handle = std::unique_ptr<store::Descriptor>;
  explicit DropFolder(Handle folder) : folder_(std::move(folder)) {}
  Result<Handle> below(const char* name) const;
  Result<std::string> move(const std::string& name, int to) const;
  Handle folder_;
};

}  // namespace aios::ingress

// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/archive: a backup's container. Magic, then frames: length of a head (4 bytes,
// little-endian), head, data, SHA-256 of both. A head names a member, the place of these bytes in
// it and their number. The last frame has no name and tells how many came before, so a cut archive
// shows.

#include "core/result.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace aios::store::detail {

constexpr std::size_t archive_frame_bytes_max = std::size_t{8} << 20;

struct Frame {
  std::string name;  ///< empty: the end
  std::uint64_t offset = 0;
  std::string data;
};

class ArchiveWriter {
 public:
  /// Writes beside `path`; finish() puts it in place. A file that is there is refused.
  static Result<ArchiveWriter> create(const std::string& path);
  ArchiveWriter(ArchiveWriter&&) noexcept = default;
  ArchiveWriter& operator=(ArchiveWriter&&) noexcept = default;
  ~ArchiveWriter();
  Result<void> add(const std::string& name, std::uint64_t offset, std::string_view data);
  Result<void> add_file(const std::string& name, const std::string& path);
  Result<void> finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  ArchiveWriter() = default;
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t frames_ = 0;
};

class ArchiveReader {
 public:
  static Result<ArchiveReader> open(const std::string& path);
  /// data_loss when a frame is cut, its digest does not fit or bytes follow the last one.
  Result<Frame> next();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  ArchiveReader() = default;
  Result<std::string> take(std::size_t bytes);
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t frames_ = 0;
};

}  // namespace aios::store::detail

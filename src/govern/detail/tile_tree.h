// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/tile_tree: a growing log as tiles. Holds only the right edge: the unfinished tile
// of each level and the unfinished bundle of entries.

#include "govern/merkle.h"
#include "govern/tlog.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::govern::detail {

struct TileFile {
  TileId id;
  std::string bytes;
};

class TileTree {
 public:
  /// Adds one entry (at most entry_bytes_max bytes); the tiles it completed are appended to `full`,
  /// lowest first, the bundle of entries before them.
  void append(std::string_view entry, std::vector<TileFile>& full);
  /// The unfinished tiles, bundle first; none of width 0.
  std::vector<TileFile> partials() const;
  std::uint64_t size() const { return size_; }
  Digest root() const;

  using Read = std::function<Result<std::string>(const TileId&)>;
  /// The tree of `size` entries from its partial tiles. @return data_loss when a tile has another
  /// length or an entry does not fit its hash; what `read` returned.
  static Result<TileTree> resume(std::uint64_t size, const Read& read);

 private:
  std::uint64_t index_of(std::size_t level) const;

  std::vector<std::vector<Digest>> levels_;
  std::string bundle_;
  std::uint64_t size_ = 0;
};

std::string join_hashes(const std::vector<Digest>& hashes);
/// @return data_loss when the bytes are not `count` hashes.
Result<std::vector<Digest>> split_hashes(std::string_view bytes, std::size_t count);

}  // namespace aios::govern::detail

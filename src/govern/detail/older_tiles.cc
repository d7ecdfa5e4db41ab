// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/older_tiles.h"

#include "core/crypto.h"
#include "govern/detail/tenant_log.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace aios::govern::detail {
namespace {

/// Under the signed size, and narrower than the tile that stands there now.
std::optional<TileId> replaced_by(const TileId& id, std::uint64_t size) {
  const std::uint64_t level = id.level < 0 ? 0 : static_cast<std::uint64_t>(id.level);
  const std::uint64_t nodes = level < 8 ? size >> (8 * level) : 0;
  const std::uint64_t first = id.index << 8;
  if (id.index >> 48 != 0 || first >= nodes) {
    return {};
  }
  const TileId now{id.level, id.index,
                   static_cast<std::uint32_t>(std::min<std::uint64_t>(nodes - first, tile_width))};
  return id.width < now.width ? std::optional(now) : std::nullopt;
}

bool is_beginning(const std::string& folder, const TileId& id, const TileId& now) {
  const auto older = read_tile(folder, id);
  const auto whole = read_tile(folder, now);
  if (!older.ok() || !whole.ok() || !whole->starts_with(*older)) {
    return false;
  }
  if (id.level != TileId::entries_level) {
    return older->size() == id.width * sizeof(Digest);
  }
  const auto entries = split_entries(*older);
  return entries.ok() && entries->size() == id.width;
}

}  // namespace

std::optional<TileId> odd_older_tile(const std::string& folder, std::uint64_t size) {
  std::set<std::string> paths;
  std::error_code failed;
  for (auto at = std::filesystem::recursive_directory_iterator(folder + "/tile", failed);
       !failed && at != std::filesystem::recursive_directory_iterator(); at.increment(failed)) {
    const auto path = at->path().lexically_relative(folder).string();
    if (path.find(".p/") != std::string::npos) {
      paths.insert(path);
    }
  }
  for (const std::string& path : paths) {
    const auto id = parse_tile_path(path);
    const auto now = id.ok() ? replaced_by(*id, size) : std::nullopt;
    if (now && !is_beginning(folder, *id, *now)) {
      return *id;
    }
  }
  return {};
}

}  // namespace aios::govern::detail

// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/tile_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace aios::govern::detail {

std::string join_hashes(const std::vector<Digest>& hashes) {
  std::string bytes;
  bytes.reserve(hashes.size() * sizeof(Digest));
  for (const Digest& hash : hashes) {
    bytes.append(view(hash));
  }
  return bytes;
}

Result<std::vector<Digest>> split_hashes(std::string_view bytes, std::size_t count) {
  if (bytes.size() != count * sizeof(Digest)) {
    return Error(Code::data_loss, fmt::format("it has {} bytes, wanted {} hashes of {}",
                                              bytes.size(), count, sizeof(Digest)));
  }
  std::vector<Digest> hashes(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view part = bytes.substr(i * sizeof(Digest), sizeof(Digest));
    std::copy(part.begin(), part.end(), hashes[i].begin());
  }
  return hashes;
}

// The tile of this level that the entry of index size_ belongs to.
std::uint64_t TileTree::index_of(std::size_t level) const {
  const std::size_t shift = 8 * (level + 1);
  return shift >= 64 ? 0 : size_ >> shift;
}

void TileTree::append(std::string_view entry, std::vector<TileFile>& full) {
  append_entry(bundle_, entry);
  if (levels_.empty()) {
    levels_.emplace_back();
  }
  levels_[0].push_back(leaf_hash(entry));
  if (levels_[0].size() == tile_width) {
    full.push_back({{TileId::entries_level, index_of(0), tile_width}, std::exchange(bundle_, {})});
  }
  for (std::size_t level = 0; levels_[level].size() == tile_width; ++level) {
    if (level + 1 == levels_.size()) {
      levels_.emplace_back();
    }
    std::vector<Digest> hashes = std::exchange(levels_[level], {});
    levels_[level + 1].push_back(root_of(hashes));
    full.push_back({{static_cast<int>(level), index_of(level), tile_width}, join_hashes(hashes)});
  }
  ++size_;
}

std::vector<TileFile> TileTree::partials() const {
  std::vector<TileFile> files;
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    if (levels_[level].empty()) {
      continue;
    }
    const auto width = static_cast<std::uint32_t>(levels_[level].size());
    if (level == 0) {
      files.push_back({{TileId::entries_level, index_of(0), width}, bundle_});
    }
    files.push_back(
        {{static_cast<int>(level), index_of(level), width}, join_hashes(levels_[level])});
  }
  return files;
}

Digest TileTree::root() const {
  std::optional<Digest> root;
  // From the right: the smallest perfect subtrees first, each to the left of what is already there.
  for (const auto& hashes : levels_) {
    for (std::size_t end = hashes.size(); end > 0;) {
      const std::size_t width = end & (~end + 1);
      const auto from = hashes.begin() + static_cast<std::ptrdiff_t>(end - width);
      const Digest peak = root_of({from, from + static_cast<std::ptrdiff_t>(width)});
      root = root ? node_hash(peak, *root) : peak;
      end -= width;
    }
  }
  return root.value_or(empty_root());
}

Result<TileTree> TileTree::resume(std::uint64_t size, const Read& read) {
  TileTree tree;
  tree.size_ = size;
  for (std::size_t level = 0; level < 8 && (size >> (8 * level)) != 0; ++level) {
    const auto width = static_cast<std::uint32_t>(size >> (8 * level) & 0xff);
    tree.levels_.emplace_back();
    if (width == 0) {
      continue;
    }
    const TileId id{static_cast<int>(level), tree.index_of(level), width};
    auto bytes = read(id);
    if (!bytes.ok()) {
      return std::move(bytes).error();
    }
    auto hashes = split_hashes(*bytes, width);
    if (!hashes.ok()) {
      return std::move(hashes).error().with(fmt::format("reading {}", tile_path(id)));
    }
    tree.levels_.back() = std::move(*hashes);
  }
  if ((size & 0xff) == 0) {
    return tree;
  }
  const TileId id{TileId::entries_level, tree.index_of(0), static_cast<std::uint32_t>(size & 0xff)};
  auto bundle = read(id);
  if (!bundle.ok()) {
    return std::move(bundle).error();
  }
  auto entries = split_entries(*bundle);
  if (!entries.ok()) {
    return std::move(entries).error().with(fmt::format("reading {}", tile_path(id)));
  }
  const auto& hashes = tree.levels_[0];
  const auto fits = [](std::string_view entry, const Digest& hash) {
    return leaf_hash(entry) == hash;
  };
  if (!std::equal(entries->begin(), entries->end(), hashes.begin(), hashes.end(), fits)) {
    return Error(Code::data_loss,
                 fmt::format("the entries of {} do not fit their hashes", tile_path(id)));
  }
  tree.bundle_ = std::move(*bundle);
  return tree;
}

}  // namespace aios::govern::detail

// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/culprit.h"

#include "govern/detail/tenant_log.h"
#include "govern/detail/tile_tree.h"
#include "govern/merkle.h"

#include <algorithm>
#include <vector>

namespace aios::govern::detail {
namespace {

std::uint32_t width_at(std::uint64_t count, std::uint64_t tile) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(count - (tile << 8), tile_width));
}

/// Roots of the perfect subtrees of some neighbouring nodes, largest first.
class Peaks {
 public:
  void append(Digest hash) {
    for (std::uint64_t done = count_++; (done & 1) != 0; done >>= 1) {
      hash = node_hash(hashes_.back(), hash);
      hashes_.pop_back();
    }
    hashes_.push_back(hash);
  }
  const std::vector<Digest>& hashes() const { return hashes_; }

 private:
  std::vector<Digest> hashes_;
  std::uint64_t count_ = 0;
};

}  // namespace

bool level_leads_to_root(const std::string& folder, int level, const Checkpoint& head) {
  std::vector<Digest> peaks;
  for (int at = level; at >= 0; --at) {
    const std::uint64_t count = head.size >> (8 * at);
    Peaks here;
    // Of the levels below only what is not under a full tile: their last one.
    for (std::uint64_t tile = at == level ? 0 : count >> 8; tile << 8 < count; ++tile) {
      const TileId id{at, tile, width_at(count, tile)};
      const auto bytes = read_tile(folder, id);
      const auto split = bytes.ok() ? split_hashes(*bytes, id.width) : bytes.error();
      if (!split.ok()) {
        return false;
      }
      for (const Digest& hash : *split) {
        here.append(hash);
      }
    }
    peaks.insert(peaks.end(), here.hashes().begin(), here.hashes().end());
  }
  if (peaks.empty()) {
    return head.root == empty_root();
  }
  Digest root = peaks.back();
  for (std::size_t i = peaks.size() - 1; i > 0; --i) {
    root = node_hash(peaks[i - 1], root);
  }
  return root == head.root;
}

bool entries_lead_to_root(const std::string& folder, const Checkpoint& head) {
  MerkleRange range;
  for (std::uint64_t bundle = 0; bundle << 8 < head.size; ++bundle) {
    const TileId id{TileId::entries_level, bundle, width_at(head.size, bundle)};
    const auto bytes = read_tile(folder, id);
    if (!bytes.ok()) {
      return false;
    }
    const auto entries = split_entries(*bytes);
    if (!entries.ok()) {
      return false;
    }
    for (const std::string_view entry : *entries) {
      range.append(leaf_hash(entry));
    }
  }
  return range.size() == head.size && range.root() == head.root;
}

}  // namespace aios::govern::detail

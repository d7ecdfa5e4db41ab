// SPDX-License-Identifier: Apache-2.0
#include "govern/tlog_proof.h"

#include "govern/merkle.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace aios::govern {
namespace {

constexpr unsigned levels_in_tile = 8;

class Tiles {
 public:
  Tiles(std::uint64_t size, const ReadTile& read) : size_(size), read_(read) {}

  /// SUBPROOF(m, D[n], b) of RFC 6962 section 2.1.2 over the leaves [from, from + count).
  Result<void> path(std::uint64_t from, std::uint64_t count, std::uint64_t older, bool whole,
                    std::vector<Digest>& into) {
    if (older == count) {
      return whole ? Result<void>() : push(from, count, into);
    }
    const std::uint64_t split = std::bit_floor(count - 1);
    const bool left = older <= split;
    auto below = left ? path(from, split, older, whole, into)
                      : path(from + split, count - split, older - split, false, into);
    if (!below.ok()) {
      return below;
    }
    return left ? push(from + split, count - split, into) : push(from, split, into);
  }

 private:
  Result<void> push(std::uint64_t from, std::uint64_t count, std::vector<Digest>& into) {
    auto hash = root_of_range(from, count);
    if (!hash.ok()) {
      return std::move(hash).error();
    }
    into.push_back(*hash);
    return {};
  }

  /// `from` is a multiple of the largest power of two in `count`.
  Result<Digest> root_of_range(std::uint64_t from, std::uint64_t count) {
    if (std::has_single_bit(count)) {
      return perfect(from, count);
    }
    const std::uint64_t split = std::bit_floor(count);
    auto left = perfect(from, split);
    if (!left.ok()) {
      return left;
    }
    auto right = root_of_range(from + split, count - split);
    return right.ok() ? Result<Digest>(node_hash(*left, *right)) : right;
  }

  /// A perfect subtree: some neighbours in one tile, of which the tile's level keeps the hashes.
  Result<Digest> perfect(std::uint64_t from, std::uint64_t count) {
    const auto height = static_cast<unsigned>(std::countr_zero(count));
    const unsigned level = height / levels_in_tile;
    const unsigned shift = level * levels_in_tile;
    const std::uint64_t first = from >> shift;
    const std::uint64_t tile = first / tile_width;
    const auto width = static_cast<std::uint32_t>(
        std::min<std::uint64_t>((size_ >> shift) - tile * tile_width, tile_width));
    const TileId id{static_cast<int>(level), tile, width};
    auto bytes = read_(id);
    if (!bytes.ok()) {
      return std::move(bytes).error();
    }
    const std::size_t begin = first % tile_width;
    const std::size_t end = begin + (std::size_t{1} << (height % levels_in_tile));
    if (bytes->size() < end * sizeof(Digest)) {
      return Error(Code::data_loss, fmt::format("{} has {} bytes, wanted {} hashes", tile_path(id),
                                                bytes->size(), end))
          .page(522);
    }
    std::vector<Digest> hashes(end - begin);
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      const auto part =
          std::string_view(*bytes).substr((begin + i) * sizeof(Digest), sizeof(Digest));
      std::copy(part.begin(), part.end(), hashes[i].begin());
    }
    return root_of(hashes);
  }

  std::uint64_t size_;
  const ReadTile& read_;
};

}  // namespace

Result<std::vector<Digest>> prove_consistency(std::uint64_t size, std::uint64_t older,
                                              const ReadTile& read) {
  AIOS_ASSERT(older >= 1 && older <= size);
  std::vector<Digest> proof;
  auto made = Tiles(size, read).path(0, size, older, true, proof);
  return made.ok() ? Result<std::vector<Digest>>(std::move(proof)) : std::move(made).error();
}

}  // namespace aios::govern

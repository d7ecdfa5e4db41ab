// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/merkle: the tree of RFC 6962 section 2.1 (SHA-256): hashes, the root of a growing list of
// leaves, and the checks of inclusion and consistency proofs. Pure functions and values; nothing
// here reads a file.

#include "core/crypto.h"
#include "core/result.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace aios::govern {

/// SHA-256(0x00 || entry).
Digest leaf_hash(std::string_view entry);
/// SHA-256(0x01 || left || right).
Digest node_hash(const Digest& left, const Digest& right);
/// The root of no leaves: SHA-256 of nothing.
Digest empty_root();

/// The root of leaves given one after the other, in logarithmic space.
class MerkleRange {
 public:
  void append(const Digest& leaf);
  std::uint64_t size() const { return size_; }
  Digest root() const;

 private:
  std::vector<Digest>
      peaks_;  // roots of the perfect subtrees, largest first: one a set bit of size_
  std::uint64_t size_ = 0;
};

/// The root over hashes that are themselves leaves of one perfect or partial subtree (a tile).
Digest root_of(const std::vector<Digest>& hashes);

struct InclusionProof {
  std::uint64_t index = 0;
  std::uint64_t size = 0;
  std::vector<Digest> hashes;  ///< from the leaf upwards
};
/// @return data_loss when the proof does not lead from leaf to root; invalid_argument when index >=
/// size.
Result<void> verify_inclusion(const InclusionProof& proof, const Digest& leaf, const Digest& root);

struct TreeHead {
  std::uint64_t size = 0;
  Digest root{};
};
/// @return data_loss when the proof does not show that `newer` continues `older`; invalid_argument
/// when older.size is
///         0 (everything continues nothing: there is no proof) or larger than newer.size.
Result<void> verify_consistency(const TreeHead& older, const TreeHead& newer,
                                const std::vector<Digest>& proof);

/// Proofs from all leaf hashes; index < leaves.size(), older_size between 1 and leaves.size().
InclusionProof prove_inclusion(const std::vector<Digest>& leaves, std::uint64_t index);
std::vector<Digest> prove_consistency(const std::vector<Digest>& leaves, std::uint64_t older_size);

}  // namespace aios::govern

// SPDX-License-Identifier: Apache-2.0
#include "govern/merkle.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <span>
#include <string>

namespace aios::govern {
namespace {

Digest subtree_root(std::span<const Digest> hashes) {
  if (hashes.size() == 1) {
    return hashes[0];
  }
  const std::size_t split = std::bit_floor(hashes.size() - 1);
  return node_hash(subtree_root(hashes.first(split)), subtree_root(hashes.subspan(split)));
}

void inclusion_path(std::span<const Digest> hashes, std::uint64_t index,
                    std::vector<Digest>& into) {
  if (hashes.size() <= 1) {
    return;
  }
  const std::size_t split = std::bit_floor(hashes.size() - 1);
  const auto left = hashes.first(split);
  const auto right = hashes.subspan(split);
  if (index < split) {
    inclusion_path(left, index, into);
    into.push_back(subtree_root(right));
  } else {
    inclusion_path(right, index - split, into);
    into.push_back(subtree_root(left));
  }
}

// SUBPROOF(m, D[n], b) of RFC 6962 section 2.1.2.
void consistency_path(std::span<const Digest> hashes, std::uint64_t older, bool whole,
                      std::vector<Digest>& into) {
  if (older == hashes.size()) {
    if (!whole) {
      into.push_back(subtree_root(hashes));
    }
    return;
  }
  const std::size_t split = std::bit_floor(hashes.size() - 1);
  if (older <= split) {
    consistency_path(hashes.first(split), older, whole, into);
    into.push_back(subtree_root(hashes.subspan(split)));
  } else {
    consistency_path(hashes.subspan(split), older - split, false, into);
    into.push_back(subtree_root(hashes.first(split)));
  }
}

Error mismatch(std::string_view what) {
  return Error(Code::data_loss, fmt::format("the {} proof does not lead to the root", what));
}

// Where a walk up the tree stands: the node's index at its level and the last index of that level.
struct Climb {
  std::uint64_t node = 0;
  std::uint64_t last = 0;

  bool sibling_is_left() const { return (node & 1) != 0 || node == last; }
  // Past the levels where the node is the last one and has no sibling.
  void skip_lone() {
    while ((node & 1) == 0 && node != 0) {
      up();
    }
  }
  void up() {
    node >>= 1;
    last >>= 1;
  }
};

}  // namespace

Digest leaf_hash(std::string_view entry) { return sha256(std::string_view("\0", 1), entry); }

Digest node_hash(const Digest& left, const Digest& right) {
  std::array<char, 65> text{};
  text[0] = 1;
  std::copy(left.begin(), left.end(), text.begin() + 1);
  std::copy(right.begin(), right.end(), text.begin() + 33);
  return sha256(std::string_view(text.data(), text.size()));
}

Digest empty_root() { return sha256(std::string_view()); }

void MerkleRange::append(const Digest& leaf) {
  Digest hash = leaf;
  // Each trailing one bit of the size is a subtree that the new leaf completes into a larger one.
  for (std::uint64_t size = size_; (size & 1) != 0; size >>= 1) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
  }
  peaks_.push_back(hash);
  ++size_;
}

Digest MerkleRange::root() const {
  if (peaks_.empty()) {
    return empty_root();
  }
  Digest hash = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i > 0; --i) {
    hash = node_hash(peaks_[i - 1], hash);
  }
  return hash;
}

Digest root_of(const std::vector<Digest>& hashes) {
  return hashes.empty() ? empty_root() : subtree_root(hashes);
}

Result<void> verify_inclusion(const InclusionProof& proof, const Digest& leaf, const Digest& root) {
  if (proof.index >= proof.size) {
    return Error(Code::invalid_argument,
                 fmt::format("leaf {} is not in a tree of {} leaves", proof.index, proof.size));
  }
  Climb at{proof.index, proof.size - 1};
  Digest hash = leaf;
  for (const Digest& sibling : proof.hashes) {
    if (at.last == 0) {
      return mismatch("inclusion");
    }
    if (at.sibling_is_left()) {
      hash = node_hash(sibling, hash);
      at.skip_lone();
    } else {
      hash = node_hash(hash, sibling);
    }
    at.up();
  }
  if (at.last != 0 || hash != root) {
    return mismatch("inclusion");
  }
  return {};
}

Result<void> verify_consistency(const TreeHead& older, const TreeHead& newer,
                                const std::vector<Digest>& proof) {
  if (older.size == 0 || older.size > newer.size) {
    return Error(Code::invalid_argument, fmt::format("no proof can show that {} leaves continue {}",
                                                     newer.size, older.size));
  }
  if (older.size == newer.size) {
    return proof.empty() && older.root == newer.root ? Result<void>() : mismatch("consistency");
  }
  if (proof.empty()) {
    return mismatch("consistency");
  }
  Climb at{older.size - 1, newer.size - 1};
  while ((at.node & 1) != 0) {
    at.up();
  }
  // A perfect older tree is itself the first hash and is not repeated in the proof.
  const bool perfect = std::has_single_bit(older.size);
  Digest older_hash = perfect ? older.root : proof[0];
  Digest newer_hash = older_hash;
  for (std::size_t i = perfect ? 0 : 1; i < proof.size(); ++i) {
    if (at.last == 0) {
      return mismatch("consistency");
    }
    if (at.sibling_is_left()) {
      older_hash = node_hash(proof[i], older_hash);
      newer_hash = node_hash(proof[i], newer_hash);
      at.skip_lone();
    } else {
      newer_hash = node_hash(newer_hash, proof[i]);
    }
    at.up();
  }
  if (at.last != 0 || older_hash != older.root || newer_hash != newer.root) {
    return mismatch("consistency");
  }
  return {};
}

InclusionProof prove_inclusion(const std::vector<Digest>& leaves, std::uint64_t index) {
  AIOS_ASSERT(index < leaves.size());
  InclusionProof proof{index, leaves.size(), {}};
  inclusion_path(leaves, index, proof.hashes);
  return proof;
}

std::vector<Digest> prove_consistency(const std::vector<Digest>& leaves, std::uint64_t older_size) {
  AIOS_ASSERT(older_size >= 1 && older_size <= leaves.size());
  std::vector<Digest> proof;
  consistency_path(leaves, older_size, true, proof);
  return proof;
}

}  // namespace aios::govern

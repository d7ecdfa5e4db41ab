// SPDX-License-Identifier: Apache-2.0
// What a leaf is opened with: the leaf, a part's name, a content, a line each. And proofs: of the
// leaves that the content's lines are, none holds for another leaf.
#include "govern/opening.h"

#include "core/text.h"
#include "govern/merkle.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {
namespace {

void check_proofs(std::string_view content, std::string_view damage) {
  std::vector<Digest> leaves;
  for (const auto line : split(content, '\n')) {
    if (leaves.size() < 40) {
      leaves.push_back(govern::leaf_hash(line));
    }
  }
  govern::MerkleRange range;
  for (const Digest& leaf : leaves) {
    range.append(leaf);
  }
  const std::uint64_t size = leaves.size();
  const std::uint64_t index = damage.size() % size;
  auto proof = govern::prove_inclusion(leaves, index);
  AIOS_ASSERT(govern::verify_inclusion(proof, leaves[index], range.root()).ok());
  const Digest other = sha256("no line has this hash");
  AIOS_ASSERT(!govern::verify_inclusion(proof, other, range.root()).ok());
  govern::MerkleRange older;
  for (std::uint64_t i = 0; i <= index; ++i) {
    older.append(leaves[i]);
  }
  auto steps = govern::prove_consistency(leaves, index + 1);
  AIOS_ASSERT(
      govern::verify_consistency({index + 1, older.root()}, {size, range.root()}, steps).ok());
  // proofs of any length and place end, and prove nothing of another root
  proof.index = damage.size() > 1 ? static_cast<unsigned char>(damage[1]) : 0;
  proof.size = damage.size() > 2 ? static_cast<unsigned char>(damage[2]) * 3U : size;
  proof.hashes.resize(damage.size() % 70, other);
  AIOS_ASSERT(!govern::verify_inclusion(proof, other, range.root()).ok());
  steps.resize(damage.size() % 70, other);
  AIOS_ASSERT(!govern::verify_consistency({index + 1, other}, {size, range.root()}, steps).ok());
}

}  // namespace

void opening(std::string_view input) {
  const auto [text, rest] = cut(input, "\n");
  const auto [part, content] = cut(rest, "\n");
  check_proofs(content, part);
  const auto leaf = parse_json(text);
  if (!leaf.ok()) {
    return;
  }
  const std::string salt(16, 's');
  for (const auto& name : govern::parts_of(*leaf)) {
    // nobody finds a content by chance
    AIOS_ASSERT(!govern::check_opening(*leaf, name, salt, content).ok());
  }
  AIOS_ASSERT(!govern::check_opening(*leaf, part, salt, content).ok());
  AIOS_ASSERT(!govern::check_opening(*leaf, part, part, content).ok());
  AIOS_ASSERT(!govern::content_of(*leaf).empty());
  const auto commitment = govern::commitment_of(govern::part_salt(salt, "request"), content);
  const Json own =
      JsonObject{{"v", 2}, {"commitments", JsonObject{{"request", to_hex(view(commitment))}}}};
  AIOS_ASSERT(govern::check_opening(own, "request", salt, content).ok());
  AIOS_ASSERT(!govern::check_opening(own, "request", salt, std::string(content) + " ").ok());
}

}  // namespace aios::fuzz

// SPDX-License-Identifier: Apache-2.0
#include "govern/merkle.h"

#include "core/text.h"
#include "govern/test/fixtures.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace aios::govern {
namespace {

std::vector<Digest> leaves_of(std::size_t count) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) {
    leaves.push_back(leaf_hash("leaf " + std::to_string(i)));
  }
  return leaves;
}

// Damaged cases of the pack have hashes of other lengths: those are refused before any check.
bool read_digest(std::string_view base64, Digest& digest) {
  auto bytes = from_base64(base64);
  if (!bytes.ok() || bytes->size() != digest.size()) {
    return false;
  }
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return true;
}

bool read_proof(const Json& value, std::vector<Digest>& proof) {
  if (!value.is_array()) {
    return value.is_null();
  }
  for (const Json& item : value.get_array()) {
    if (!read_digest(view(item.get_string()), proof.emplace_back())) {
      return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("merkle: the root of a growing list is that of the recursive definition") {
  const auto leaves = leaves_of(70);
  MerkleRange range;
  CHECK(range.root() == empty_root());
  for (std::size_t count = 1; count <= leaves.size(); ++count) {
    range.append(leaves[count - 1]);
    CHECK(range.root() ==
          root_of({leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(count)}));
  }
  CHECK(range.size() == 70);
}

TEST_CASE("merkle: every proof made is accepted and a changed one is not") {
  const auto leaves = leaves_of(21);
  const Digest root = root_of(leaves);
  for (std::uint64_t i = 0; i < leaves.size(); ++i) {
    auto proof = prove_inclusion(leaves, i);
    CHECK(verify_inclusion(proof, leaves[i], root).ok());
    CHECK_FALSE(verify_inclusion(proof, leaves[(i + 1) % leaves.size()], root).ok());
    proof.hashes[0][0] ^= 1;
    CHECK_FALSE(verify_inclusion(proof, leaves[i], root).ok());
  }
  for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
    const TreeHead older{
        size, root_of({leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(size)})};
    auto proof = prove_consistency(leaves, size);
    CHECK(verify_consistency(older, {leaves.size(), root}, proof).ok());
    TreeHead other = older;
    other.root[5] ^= 1;
    CHECK_FALSE(verify_consistency(other, {leaves.size(), root}, proof).ok());
  }
}

TEST_CASE("merkle: the pack's hashes and roots for every size of its tree") {
  const auto pack = test::conformance_json("tlog/merkle/rfc6962-hashes.json");
  if (!pack) {
    MESSAGE("SKIPPED: pack tlog/merkle is absent");
    return;
  }
  CHECK(to_hex(view(empty_root())) == text_or(*pack, "empty_root", ""));
  const JsonArray& cases = find(*pack, "hash_cases")->get_array();
  CHECK(cases.size() == 4);
  for (const Json& item : cases) {
    const auto bytes = [&](std::string_view member) {
      return from_hex(text_or(item, member, "")).value();
    };
    const Digest hash = find(item, "left_hex") != nullptr
                            ? sha256("\x01" + bytes("left_hex"), bytes("right_hex"))
                        : find(item, "leaf_hex") != nullptr ? leaf_hash(bytes("leaf_hex"))
                                                            : empty_root();
    CHECK(to_hex(view(hash)) == text_or(item, "want", ""));
  }
  MerkleRange range;
  const JsonArray& roots = at_pointer(*pack, "/tree/root_by_size")->get_array();
  CHECK(roots.size() == 9);
  for (std::size_t size = 0; size < roots.size(); ++size) {
    CHECK(to_hex(view(range.root())) == view(roots[size].get_string()));
    if (size + 1 < roots.size()) {
      const Json* leaf = at_pointer(*pack, "/tree/leaf_inputs_hex/" + std::to_string(size));
      range.append(leaf_hash(from_hex(view(leaf->get_string())).value()));
    }
  }
}

TEST_CASE("merkle: the pack's inclusion proofs") {
  const auto pack = test::conformance_json("tlog/merkle/inclusion.json");
  if (!pack) {
    MESSAGE("SKIPPED: pack tlog/merkle is absent");
    return;
  }
  CHECK(pack->get_array().size() == 98);
  for (const Json& item : pack->get_array()) {
    Digest leaf{};
    Digest root{};
    InclusionProof proof;
    const Json& index = *find(item, "leafIdx");  // one case has 2^64 - 1
    proof.index = index.to_number<std::uint64_t>();
    proof.size = static_cast<std::uint64_t>(int_or(item, "treeSize", 0));
    const bool accepted = read_digest(text_or(item, "leafHash", ""), leaf) &&
                          read_digest(text_or(item, "root", ""), root) &&
                          read_proof(*find(item, "proof"), proof.hashes) &&
                          verify_inclusion(proof, leaf, root).ok();
    CHECK_MESSAGE(accepted != bool_or(item, "wantErr", false), text_or(item, "name", ""));
  }
}

TEST_CASE("merkle: the pack's consistency proofs") {
  const auto pack = test::conformance_json("tlog/merkle/consistency.json");
  if (!pack) {
    MESSAGE("SKIPPED: pack tlog/merkle is absent");
    return;
  }
  CHECK(pack->get_array().size() == 98);
  for (const Json& item : pack->get_array()) {
    TreeHead older{static_cast<std::uint64_t>(int_or(item, "size1", 0)), {}};
    TreeHead newer{static_cast<std::uint64_t>(int_or(item, "size2", 0)), {}};
    std::vector<Digest> proof;
    // Some roots are mere words: their digests stand for them, equal where the words are equal.
    for (auto [member, head] : {std::pair("root1", &older), std::pair("root2", &newer)}) {
      const std::string_view text = text_or(item, member, "");
      if (!read_digest(text, head->root)) {
        head->root = sha256(text);
      }
    }
    const bool accepted =
        read_proof(*find(item, "proof"), proof) && verify_consistency(older, newer, proof).ok();
    CHECK_MESSAGE(accepted != bool_or(item, "wantErr", false), text_or(item, "name", ""));
  }
}

}  // namespace aios::govern

// SPDX-License-Identifier: Apache-2.0
#include "govern/leaf_kind.h"

#include "core/text.h"
#include "govern/audit.h"
#include "govern/test/fixtures.h"

#include <doctest/doctest.h>

namespace aios::govern {
namespace {

/// First cells of the table below the heading "## What a leaf is about".
std::vector<std::string> kinds_in_guide() {
  const std::string guide = test::slurp(AIOS_SOURCE_DIR "/docs/guide/audit.md");
  std::vector<std::string> kinds;
  bool here = false;
  for (const auto& line : split(guide, '\n')) {
    if (line.starts_with("## ")) {
      here = line == "## What a leaf is about";
    } else if (here && line.starts_with("| `")) {
      kinds.emplace_back(line.substr(3, line.find('`', 3) - 3));
    }
  }
  return kinds;
}

}  // namespace

TEST_CASE("leaf kinds: each has a word of its own, and the guide lists just these in this order") {
  std::vector<std::string> words;
  for (const LeafKindWord& entry : leaf_kinds) {
    CHECK(name_of(entry.kind) == entry.word);
    CHECK(std::find(words.begin(), words.end(), entry.word) == words.end());
    words.emplace_back(entry.word);
  }
  CHECK(words == kinds_in_guide());
}

TEST_CASE("leaf kinds: the word stands in the leaf") {
  for (const LeafKindWord& entry : leaf_kinds) {
    const auto leaf =
        make_leaf(system_context(default_tenant(), "test"), {}, LeafFacts(entry.kind));
    CHECK(text_or(parse_json(leaf.bytes).value(), "kind", "") == entry.word);
  }
}

}  // namespace aios::govern

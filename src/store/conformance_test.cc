// SPDX-License-Identifier: Apache-2.0
// Every engine against every sentence. An engine that is added is added here and nowhere else.
#include "store/test/subject.h"

using namespace aios::store::testing;

namespace {

void hold_to_all(Kind kind) {
  std::vector<Sentence> sentences;
  for (const auto& part : {commit_sentences(), read_sentences(), durability_sentences(),
                           erasure_sentences(), expiry_sentences()}) {
    sentences.insert(sentences.end(), part.begin(), part.end());
  }
  REQUIRE(sentences.size() >= 30);
  for (const Sentence& sentence : sentences) {
    SUBCASE(sentence.text) {
      Subject subject(kind);
      sentence.check(subject);
    }
  }
}

}  // namespace

TEST_CASE("store conformance: memory, inline") { hold_to_all(Kind::memory_inline); }
TEST_CASE("store conformance: memory, own threads") { hold_to_all(Kind::memory_threads); }
TEST_CASE("store conformance: sqlite") { hold_to_all(Kind::sqlite); }

// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/knowledge: what an embedding of a bundle's articles is learnt from: the articles
// themselves, and the training data of the bundle's models (never the held-out part).

#include "bundle/bundle.h"
#include "bundle/learnt.h"
#include "data/knowledge.h"

#include <string>
#include <vector>

namespace aios::bundle {

/// Each passage with its headings, under what its article answers first; texts of a model's data
/// set carry their label where some article answers it, and none else.
std::vector<models::EmbeddingText> texts_to_embed(const Bundle& bundle);

struct MadeCorpus {
  data::Corpus corpus;
  std::string embedding;  ///< Embedding::serialize(); empty without articles
};

/// The articles with an embedding: the one in `embedding`, or, where that is empty or damaged, one
/// of `learnt`. Without articles an empty corpus. Learning takes seconds: not on a shard.
Result<MadeCorpus> make_corpus(const Bundle& bundle, const std::string& embedding, Learnt* learnt);

}  // namespace aios::bundle

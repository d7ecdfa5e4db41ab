// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/knowledge: what an embedding of a bundle's articles is learnt from: the articles
// themselves, and the training data of the bundle's models (never the held-out part).

#include "bundle/bundle.h"
#include "data/knowledge.h"

#include <vector>

namespace aios::bundle {

/// Each passage with its headings, under what its article answers first; texts of a model's data
/// set carry their label where some article answers it, and none else.
std::vector<models::EmbeddingText> texts_to_embed(const Bundle& bundle);

/// The articles with an embedding trained on them; without
/// articles an empty corpus. Takes a second or so: not on a shard.
Result<data::Corpus> make_corpus(const Bundle& bundle);

}  // namespace aios::bundle

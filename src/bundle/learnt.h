// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/learnt: embeddings of articles by what they were learnt from. Learning takes seconds and
// gives the same for the same texts, so who makes the same bundle ready again (scenario after
// scenario, save after save, a deployment of other parts) learns once. Any thread.

#include "core/result.h"
#include "models/embedding.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace aios::bundle {

struct LearntEmbedding {
  std::unique_ptr<const models::Embedding> model;
  std::string bytes;  ///< Embedding::serialize()
};

class Learnt {
 public:
  /// The one used longest ago goes for a fifth.
  static constexpr std::size_t kept_max = 4;

  /// The embedding of these texts: one that is kept, else one that is learnt now.
  /// @return what the embedding's train() says of texts that cannot be learnt from.
  Result<std::shared_ptr<const LearntEmbedding>> of(
      const std::vector<models::EmbeddingText>& texts);
  std::uint64_t learnt_count() const;  ///< how many times it had to learn

 private:
  struct Entry {
    std::string digest;
    std::shared_ptr<const LearntEmbedding> embedding;
  };
  std::shared_ptr<const LearntEmbedding> find(const std::string& digest);

  mutable std::mutex mutex_;
  std::list<Entry> kept_;  ///< used last first
  std::uint64_t learnt_count_ = 0;
};

}  // namespace aios::bundle

// SPDX-License-Identifier: Apache-2.0
#pragma once
// data/knowledge: the articles of each tenant, and the passages that answer a question. Ranked by
// words (BM25) and by meaning (vectors), joined by reciprocal rank. Threading: every method from
// any thread; a search works on the articles that were there when it began, whatever is loaded
// meanwhile.

#include "core/ids.h"
#include "core/result.h"
#include "core/staged.h"
#include "core/time.h"
#include "data/article.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace aios::data {

/// A text as a vector; thread-safe. Its length, 0 to 1, says how much of the text is known.
using Embed = std::function<std::vector<float>(std::string_view text)>;

struct Corpus {
  std::vector<Article> articles;
  std::string language = "english";  ///< for stems: a Snowball name, or "none"
  Embed embed;                       ///< empty: words alone decide
};

struct Question {
  std::string text;  ///< the first 8,192 bytes count
  std::size_t articles_max = 3;
  double fit_min = 0;
  std::vector<std::string> intents;  ///< only articles of one of these; empty: all
  Time now;
};

/// The best passage of one article.
struct Answer {
  std::string article, title, heading, text;
  std::vector<std::string> intents;
  std::uint32_t labels = 0;
  std::size_t offset = 0;
  double score = 0;  ///< reciprocal ranks, for the order alone
  double bm25 = 0;
  double cosine = 0;  ///< 0 without an embedding
  /// 0 to 1: the cosine times the question's length (how much of it is known); without an embedding
  /// the share of the question's words that the passage has. What a floor is set on.
  double fit = 0;
};

struct Found {
  std::vector<Answer> answers;  ///< best first, one an article; empty: nothing fits
  std::string corpus;           ///< hex SHA-256 of the articles; empty where there are none
};

class Knowledge {
 public:
  static constexpr std::size_t passages_max = 50'000;
  static constexpr std::size_t answers_max = 20;

  /// Replaces a tenant's articles; on an error the old ones stay.
  /// @return already_exists [AIOS-1602], invalid_argument [AIOS-1603] for a language,
  ///         resource_exhausted [AIOS-1604] for too many passages.
  Result<void> load(const TenantId& tenant, Corpus corpus);
  /// load() in two steps: all that can fail and takes time (it embeds every passage), then the
  /// replacement.
  Staged stage(const TenantId& tenant, Corpus corpus);
  /// Articles whose last day is over are left out. A tenant without articles finds nothing.
  Found search(const TenantId& tenant, const Question& question) const;

 private:
  struct Snapshot;
  static Result<std::shared_ptr<const Snapshot>> make(Corpus corpus);
  std::shared_ptr<const Snapshot> of(const TenantId& tenant) const;

  mutable std::mutex mutex_;
  std::map<TenantId, std::shared_ptr<const Snapshot>> tenants_;
};

}  // namespace aios::data

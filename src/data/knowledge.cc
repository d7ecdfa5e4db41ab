// SPDX-License-Identifier: Apache-2.0
#include "data/knowledge.h"

#include "core/crypto.h"
#include "core/text.h"
#include "data/detail/word_index.h"
#include "data/detail/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace aios::data {
namespace {

constexpr std::size_t question_bytes_max = 8'192;
/// Of each list so many count.
constexpr std::size_t ranked_max = 100;
/// Reciprocal rank: weight / (rank_offset + rank). Measured on the held-out questions of the
/// support desk: meaning alone finds the right article more often than words alone, and words help
/// where it hesitates.
constexpr double rank_offset = 10;
constexpr double meaning_weight = 4;
constexpr double words_weight = 1;

struct Piece {
  std::size_t article = 0;
  Passage passage;
};

struct Candidate {
  std::size_t piece = 0;
  double score = 0;
};

double dot(const float* left, const float* right, std::size_t count) {
  float sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += left[i] * right[i];
  }
  return static_cast<double>(sum);
}

double length_of(const std::vector<float>& vector) {
  return std::sqrt(dot(vector.data(), vector.data(), vector.size()));
}

/// Adds weight / (rank_offset + rank) to the best by `value`; of equal ones the first comes first.
template <class Value>
void add_ranks(std::vector<Candidate>& candidates, double weight, Value value) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (value(candidates[i].piece) > 0) {
      order.push_back(i);
    }
  }
  const std::size_t count = std::min(order.size(), ranked_max);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::size_t left, std::size_t right) {
                      const auto a = value(candidates[left].piece);
                      const auto b = value(candidates[right].piece);
                      return a != b ? a > b : left < right;
                    });
  for (std::size_t rank = 0; rank < count; ++rank) {
    candidates[order[rank]].score += weight / (rank_offset + static_cast<double>(rank));
  }
}

bool any_of(const std::vector<std::string>& wanted, const std::vector<std::string>& has) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const std::string& one) {
           return std::find(has.begin(), has.end(), one) != has.end();
         });
}

}  // namespace

struct Knowledge::Snapshot {
  std::string digest;
  std::string language;
  Embed embed;
  std::vector<Article> articles;
  std::vector<Piece> pieces;
  detail::WordIndex words;
  std::size_t dimensions = 0;
  std::vector<float> vectors;  ///< [piece][dimension], each of length 1 or 0

  void add_vector(std::string_view text) {
    auto vector = embed(text);
    dimensions = std::max(dimensions, vector.size());
    const double length = length_of(vector);
    for (float& value : vector) {
      value = length > 0 ? static_cast<float>(value / length) : 0.0F;
    }
    vector.resize(dimensions, 0.0F);
    vectors.insert(vectors.end(), vector.begin(), vector.end());
  }

  /// By piece; empty without an embedding. @param length  of the question's vector.
  std::vector<double> cosines(std::string_view question, double* length) const {
    std::vector<double> out;
    if (!embed) {
      return out;
    }
    const auto vector = embed(question);
    *length = std::min(length_of(vector), 1.0);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const bool known = *length > 0 && vector.size() == dimensions;
      out.push_back(known ? dot(vector.data(), vectors.data() + i * dimensions, dimensions) /
                                length_of(vector)
                          : 0.0);
    }
    return out;
  }

  std::vector<Candidate> candidates(const Question& question) const {
    std::vector<Candidate> out;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const Article& article = articles[pieces[i].article];
      const bool over = article.valid_until && *article.valid_until < question.now;
      if (!over && any_of(question.intents, article.intents)) {
        out.push_back({i, 0});
      }
    }
    return out;
  }

  Answer answer(const Candidate& candidate) const {
    const Piece& piece = pieces[candidate.piece];
    const Article& article = articles[piece.article];
    Answer out;
    out.article = article.id;
    out.title = article.title;
    out.heading = piece.passage.heading;
    out.text = piece.passage.text;
    out.intents = article.intents;
    out.labels = article.labels;
    out.offset = piece.passage.offset;
    out.score = candidate.score;
    return out;
  }
};

std::shared_ptr<const Knowledge::Snapshot> Knowledge::of(const TenantId& tenant) const {
  std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? nullptr : found->second;
}

Result<void> Knowledge::load(const TenantId& tenant, Corpus corpus) {
  auto staged = stage(tenant, std::move(corpus));
  if (!staged.errors.empty()) {
    return std::move(staged.errors.front());
  }
  staged.put();
  return {};
}

Staged Knowledge::stage(const TenantId& tenant, Corpus corpus) {
  Staged staged;
  auto made = make(std::move(corpus));
  if (!made.ok()) {
    staged.errors.push_back(std::move(made).error());
    return staged;
  }
  staged.put = [this, tenant, snapshot = std::move(*made)] {
    std::lock_guard lock(mutex_);
    tenants_[tenant] = snapshot;
  };
  return staged;
}

Result<std::shared_ptr<const Knowledge::Snapshot>> Knowledge::make(Corpus corpus) {
  auto errors = check_ids(corpus.articles);
  if (!errors.empty()) {
    return std::move(errors.front());
  }
  auto stemmer = detail::Stemmer::open(corpus.language);
  if (!stemmer.ok()) {
    return std::move(stemmer).error();
  }
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->language = std::move(corpus.language);
  snapshot->embed = std::move(corpus.embed);
  snapshot->articles = std::move(corpus.articles);
  std::string all;
  for (std::size_t at = 0; at < snapshot->articles.size(); ++at) {
    const Article& article = snapshot->articles[at];
    all += article.id + '\0' + to_hex(view(sha256(article.text))) + '\n';
    for (Passage& passage : split_passages(article)) {
      if (snapshot->pieces.size() == passages_max) {
        return Error(Code::resource_exhausted,
                     fmt::format("the articles have more than {} passages", passages_max))
            .page(1604)
            .at(article.path, 1, 1);
      }
      const std::string whole = article.title + "\n" + passage.heading + "\n" + passage.text;
      snapshot->words.add(stemmer->words(whole));
      if (snapshot->embed) {
        snapshot->add_vector(whole);
      }
      snapshot->pieces.push_back({at, std::move(passage)});
    }
  }
  snapshot->digest = snapshot->articles.empty() ? "" : to_hex(view(sha256(all)));
  return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

Found Knowledge::search(const TenantId& tenant, const Question& question) const {
  Found found;
  const auto snapshot = of(tenant);
  if (!snapshot || snapshot->pieces.empty()) {
    return found;
  }
  found.corpus = snapshot->digest;
  const std::string_view text = std::string_view(question.text).substr(0, question_bytes_max);
  auto stemmer = detail::Stemmer::open(snapshot->language);
  AIOS_ASSERT(stemmer.ok());  // it was opened by make()
  const auto matches = snapshot->words.search(stemmer->words(text));
  double length = 0;
  const auto cosines = snapshot->cosines(text, &length);
  auto candidates = snapshot->candidates(question);
  add_ranks(candidates, words_weight, [&](std::size_t piece) { return matches[piece].bm25; });
  if (!cosines.empty()) {
    add_ranks(candidates, meaning_weight, [&](std::size_t piece) { return cosines[piece]; });
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.piece < b.piece;
  });
  const std::size_t answers = std::min(question.articles_max, answers_max);
  std::vector<bool> taken(snapshot->articles.size());
  for (const Candidate& candidate : candidates) {
    const std::size_t article = snapshot->pieces[candidate.piece].article;
    if (candidate.score <= 0 || found.answers.size() == answers) {
      break;
    }
    if (taken[article]) {
      continue;
    }
    taken[article] = true;
    Answer answer = snapshot->answer(candidate);
    answer.bm25 = static_cast<double>(matches[candidate.piece].bm25);
    answer.cosine = cosines.empty() ? 0.0 : cosines[candidate.piece];
    answer.fit = cosines.empty() ? static_cast<double>(matches[candidate.piece].covered)
                                 : std::clamp(answer.cosine * length, 0.0, 1.0);
    if (answer.fit >= question.fit_min) {
      found.answers.push_back(std::move(answer));
    }
  }
  return found;
}

}  // namespace aios::data

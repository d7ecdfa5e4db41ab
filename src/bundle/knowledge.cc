// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/knowledge.h"

#include <memory>
#include <set>
#include <string>
#include <utility>

namespace aios::bundle {
namespace {

/// A passage counts as so many short texts of a data set.
constexpr int passage_weight = 4;

/// One label an article: what it answers first, or itself.
std::string label_of(const data::Article& article) {
  return article.intents.empty() ? "article " + article.id : article.intents.front();
}

}  // namespace

std::vector<models::EmbeddingText> texts_to_embed(const Bundle& bundle) {
  std::vector<models::EmbeddingText> out;
  std::set<std::string> answered;
  for (const data::Article& article : bundle.articles) {
    const std::string label = label_of(article);
    answered.insert(article.intents.begin(), article.intents.end());
    for (const data::Passage& passage : data::split_passages(article)) {
      const std::string headings = article.title + "\n" + passage.heading;
      for (int i = 0; i < passage_weight; ++i) {
        out.push_back({headings + "\n" + passage.text, label});
      }
    }
  }
  std::set<std::string> seen;
  for (const ModelSource& model : bundle.models) {
    const auto file = bundle.files.find(model.dataset);
    if (file == bundle.files.end() || !seen.insert(model.dataset).second) {
      continue;
    }
    auto examples = models::read_examples(file->second, model.dataset);
    if (!examples.ok()) {
      continue;  // check_models() says so
    }
    for (models::Example& example : *examples) {
      std::string label = answered.contains(example.label) ? std::move(example.label) : "";
      out.push_back({std::move(example.text), std::move(label)});
    }
  }
  return out;
}

Result<MadeCorpus> make_corpus(const Bundle& bundle, const std::string& embedding, Learnt* learnt) {
  MadeCorpus made;
  if (bundle.articles.empty()) {
    return made;
  }
  made.corpus.articles = bundle.articles;
  models::EngineRegistry engines;
  models::register_all_engines(engines);
  const auto* engine = engines.find_embedding("text_embedding");
  AIOS_ASSERT(engine != nullptr);
  if (auto kept = engine->load(embedding); kept.ok()) {
    made.embedding = embedding;
    const std::shared_ptr<const models::Embedding> model = std::move(*kept);
    made.corpus.embed = [model](std::string_view text) { return model->embed(text); };
    return made;
  }
  auto ready = learnt->of(texts_to_embed(bundle));
  if (!ready.ok()) {
    return std::move(ready).error().with("learning from the knowledge articles");
  }
  made.embedding = (*ready)->bytes;
  made.corpus.embed = [kept = *std::move(ready)](std::string_view text) {
    return kept->model->embed(text);
  };
  return made;
}

}  // namespace aios::bundle

// SPDX-License-Identifier: Apache-2.0
// retrieve: passages of the tenant's knowledge articles. Nothing leaves the process; what was found
// is remembered by the run itself, so that policy can demand a ground for an answer, and the data
// labels of the articles become the run's.
#include "data/knowledge.h"
#include "govern/audit.h"
#include "workflow/function.h"

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

constexpr std::int64_t articles_default = 3;

Error unfit(std::string_view what) {
  return Error(Code::invalid_argument, "retrieve: " + std::string(what)).page(1040);
}

Json answer_json(const data::Answer& answer) {
  JsonArray intents;
  for (const auto& intent : answer.intents) {
    intents.emplace_back(intent);
  }
  return JsonObject{{"article", answer.article}, {"title", answer.title},
                    {"heading", answer.heading}, {"text", answer.text},
                    {"offset", answer.offset},   {"intents", std::move(intents)},
                    {"score", answer.score},     {"bm25", answer.bm25},
                    {"cosine", answer.cosine},   {"fit", answer.fit}};
}

/// What the guard is told: of each article its id, intents and fit, never its text.
JsonObject memory_of(const data::Found& found) {
  JsonArray articles;
  for (const auto& answer : found.answers) {
    JsonArray intents;
    for (const auto& intent : answer.intents) {
      intents.emplace_back(intent);
    }
    articles.emplace_back(JsonObject{
        {"article", answer.article}, {"intents", std::move(intents)}, {"fit", answer.fit}});
  }
  return {{"corpus", found.corpus}, {"articles", std::move(articles)}};
}

class Retrieve final : public Function {
 public:
  Retrieve(const data::Knowledge* knowledge, runtime::Clock* clock)
      : knowledge_(knowledge),
        clock_(clock) {}

  Result<CallPlan> plan(const Context& /*ctx*/, const CallRequest& request) override {
    auto question = question_of(request.arguments);
    if (!question.ok()) {
      return std::move(question).error();
    }
    return CallPlan();
  }

  Task<CallOutcome> perform(Context ctx, PreparedCall /*prepared*/, CallRequest request) override {
    CallOutcome out;
    auto question = question_of(request.arguments);
    if (!question.ok()) {
      out.outcome = Outcome::failed;
      out.error = std::move(question).error();
      co_return out;
    }
    question->now = clock_->now();
    const auto found = knowledge_->search(ctx.tenant, *question);
    JsonArray answers;
    for (const auto& answer : found.answers) {
      out.labels |= answer.labels;
      answers.push_back(answer_json(answer));
    }
    out.retrieval = memory_of(found);
    govern::LeafFacts facts(govern::LeafKind::retrieval);
    facts.stream = request.run_id;
    facts.step = request.step;
    facts.outcome = "done";
    facts.facts = out.retrieval;
    out.leaves.push_back(govern::make_leaf(ctx, clock_->now(), facts));
    const bool none = found.answers.empty();
    out.result = JsonObject{{"article", none ? Json() : Json(found.answers.front().article)},
                            {"fit", none ? 0.0 : found.answers.front().fit},
                            {"answers", std::move(answers)},
                            {"corpus", found.corpus}};
    co_return out;
  }

 private:
  static Result<data::Question> question_of(const Json& given) {
    data::Question out;
    const auto* text = find(given, "query");
    if (text == nullptr || !text->is_string()) {
      return unfit("'query' is not a text");
    }
    out.text = std::string(view(text->get_string()));
    const auto articles = int_or(given, "articles", articles_default);
    if (articles < 1 || articles > static_cast<std::int64_t>(data::Knowledge::answers_max)) {
      return unfit("'articles' is not a number from 1 to 20");
    }
    out.articles_max = static_cast<std::size_t>(articles);
    out.fit_min = number_or(given, "fit_min", 0);
    if (out.fit_min < 0 || out.fit_min > 1) {
      return unfit("'fit_min' is not a number from 0 to 1");
    }
    if (const auto* intents = find(given, "intents"); intents != nullptr) {
      const bool texts = intents->is_array() &&
                         std::all_of(intents->get_array().begin(), intents->get_array().end(),
                                     [](const Json& item) { return item.is_string(); });
      if (!texts) {
        return unfit("'intents' is not a list of texts");
      }
      for (const auto& item : intents->get_array()) {
        out.intents.emplace_back(view(item.get_string()));
      }
    }
    return out;
  }

  const data::Knowledge* knowledge_;
  runtime::Clock* clock_;
};

}  // namespace

void register_function_retrieve(FunctionRegistry& registry) {
  FunctionEntry entry;
  entry.name = "retrieve";
  entry.version = "1.0.0";
  entry.summary = "Finds the passages of the knowledge articles that answer a question.";
  entry.arguments_schema = R"({"type": "object", "required": ["query"],
    "additionalProperties": false,
    "properties": {
      "query": {"type": "string", "description": "The question."},
      "articles": {"type": ["integer", "string"],
        "description": "How many articles at most, 1 to 20; 3 when not given."},
      "fit_min": {"type": ["number", "string"],
        "description": "The least fit that counts, 0 to 1; 0 when not given."},
      "intents": {"type": ["array", "string"],
        "description": "Only articles for one of these intents."}}})";
  entry.result_schema = R"({"type": "object", "required": ["article", "fit", "answers", "corpus"],
    "properties": {
      "article": {"description": "The article that fits best; null: none does."},
      "fit": {"description": "Its fit, 0 to 1."},
      "answers": {"type": "array", "items": {"type": "object"},
        "description": "Best first, one an article: article, title, heading, text, fit, ..."},
      "corpus": {"description": "Digest of the articles as they were."}}})";
  entry.make = [](const FunctionServices& services) -> std::unique_ptr<Function> {
    return std::make_unique<Retrieve>(services.knowledge, services.clock);
  };
  registry.add(std::move(entry));
}

}  // namespace aios::workflow

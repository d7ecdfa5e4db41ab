// SPDX-License-Identifier: Apache-2.0
// retrieve: what a run finds, what the guard is told of it, and what is refused.
#include "data/knowledge.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>

namespace aios::workflow {

void register_function_retrieve(FunctionRegistry& registry);
void register_function_review(FunctionRegistry& registry);

namespace {

constexpr const char* document = R"(
document: {dsl: '1.0.3', namespace: test, name: find, version: '1.0.0'}
do:
  - look:
      call: retrieve:1.0.0@default
      with: {query: '${ .text }', articles: '${ .articles // 2 }', intents: '${ .intents // [] }'}
)";

constexpr const char* asking = R"(
document: {dsl: '1.0.3', namespace: test, name: grounded, version: '1.0.0'}
do:
  - look: {call: 'retrieve:1.0.0@default', with: {query: '${ .text }'}}
  - ask:
      call: review:1.0.0@default
      with: {title: Right, form: any, evidence: {}, assignees: [reviewer]}
)";

/// People are asked only about what has a ground, and nothing of it is secret.
constexpr const char* policy = R"(package aios.review_assign
import rego.v1
default allow := false
allow if { some found in input.run.retrievals; some one in found.articles; one.fit > 0 }
deny contains "confidential" if "confidential" in input.labels
)";

struct Library {
  Library() {
    REQUIRE(world.guard.load(default_tenant(), {{"r.rego", policy}}, JsonObject()).ok());
    register_function_retrieve(world.registry);
    register_function_review(world.registry);
    world.with_reviews = true;
    world.services.functions.form = [](const TenantId&, std::string_view) -> Result<Json> {
      return Json(JsonObject());
    };
    world.services.functions.knowledge = &knowledge;
    world.add_document(document);
    world.add_document(asking);
    world.start();
    data::Corpus corpus;
    for (const auto* text :
         {"---\nid: refund\ntitle: Refunds\nintents: [money]\n---\nThey take days.\n",
          "---\nid: plans\ntitle: Plans\nlabels: [confidential]\n---\nA merger.\n"}) {
      std::vector<Error> errors;
      auto article = data::read_article("knowledge/x.md", text, &errors);
      REQUIRE(article);
      corpus.articles.push_back(std::move(*article));
    }
    REQUIRE(knowledge.load(default_tenant(), std::move(corpus)).ok());
  }
  RunView run(const std::string& name, JsonObject input) {
    const auto id = world.run_workflow(name, Json(std::move(input)));
    return name == "find" ? world.finish(id) : world.view(id);
  }
  data::Knowledge knowledge;
  test::World world;
};

}  // namespace

TEST_CASE("retrieve: the passage that answers is the step's output, with a leaf that names it") {
  Library library;
  const auto view = library.run("find", {{"text", "how long do refunds take"}});
  REQUIRE(view.status == "completed");
  CHECK(text_or(view.output, "article", "") == "refund");
  CHECK(number_or(view.output, "fit", 0) > 0);
  const auto& answers = view.output.get_object().at("answers").get_array();
  REQUIRE(answers.size() == 1);
  CHECK(text_or(answers[0], "text", "") == "They take days.");
  auto leaves =
      library.world.executor.run(library.world.store->leaves(library.world.ctx(), 0, 100));
  REQUIRE(leaves.ok());
  bool named = false;
  for (const auto& leaf : *leaves) {
    named = named || (leaf.find("\"retrieval\"") != std::string::npos &&
                      leaf.find("\"refund\"") != std::string::npos);
  }
  CHECK(named);
}

TEST_CASE("retrieve: where nothing fits the article is null, and that is no error") {
  Library library;
  for (const auto& input : {JsonObject{{"text", "zebra"}},
                            JsonObject{{"text", "refunds"}, {"intents", JsonArray{"other"}}}}) {
    const auto view = library.run("find", input);
    REQUIRE(view.status == "completed");
    CHECK(view.output.get_object().at("article").is_null());
    CHECK(view.output.get_object().at("answers").get_array().empty());
  }
}

TEST_CASE("retrieve: arguments that are no question are refused") {
  Library library;
  CHECK(library.run("find", {{"text", 7}}).status == "faulted");
  CHECK(library.run("find", {{"text", "a"}, {"articles", 0}}).status == "faulted");
  CHECK(library.run("find", {{"text", "a"}, {"articles", 21}}).status == "faulted");
  CHECK(library.run("find", {{"text", "a"}, {"intents", "money"}}).status == "faulted");
}

TEST_CASE("retrieve: the guard knows what was found, whatever the document says, and its labels") {
  Library library;
  CHECK(library.run("grounded", {{"text", "refunds"}}).status == "waiting");
  CHECK(library.run("grounded", {{"text", "zebra"}}).status == "faulted");
  CHECK(library.run("grounded", {{"text", "a merger"}}).status == "faulted");
}

}  // namespace aios::workflow

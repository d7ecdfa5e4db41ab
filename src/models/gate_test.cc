// SPDX-License-Identifier: Apache-2.0
// What people taught, and what may serve after what.
#include "models/advice.h"
#include "models/comparison.h"
#include "models/learning.h"
#include "models/models.h"
#include "models/test/examples.h"
#include "models/test/server.h"

#include <doctest/doctest.h>

namespace aios::models {
namespace {

using test::held_out;
using test::person;
using test::Server;
using test::spec;

/// Examples of which one label is learnt as another one.
std::vector<Example> muddled() {
  auto examples = test::desk_examples();
  for (Example& example : examples) {
    example.label = example.label == "refund" ? "delivery" : example.label;
  }
  examples.push_back({"a refund of the moon", "refund"});
  return examples;
}

TEST_CASE("models: a version that loses is not promoted, and the record says where") {
  Server server;
  REQUIRE(server.train().ok());
  REQUIRE(server.promote("key_owner", 1).ok());
  REQUIRE(
      server.run(server.models->train(person("key_trainer"), spec(0), muddled(), held_out())).ok());
  constexpr const char* anything = R"(package aios.model_promote
import rego.v1
default allow := true
)";
  REQUIRE(server.guard.load(default_tenant(), {{"promote.rego", anything}}, JsonObject{}).ok());
  const auto refused = server.promote("key_owner", 2);
  REQUIRE(!refused.ok());
  CHECK(refused.error().page() == 722);
  CHECK(refused.error().text().find("lost 2, won 0") != std::string::npos);
  CHECK(server.models->serving(default_tenant(), "intent")->version == 1);
  CHECK(server.leaves().back().find("\"p_worse\"") != std::string::npos);
  const auto compared = server.run(server.models->compare(person("key_x"), "intent", 2, 0));
  REQUIRE(compared.ok());
  CHECK(compared->champion == 1);
  CHECK(compared->lost == 2);
  CHECK(!compared->passed());
}

TEST_CASE("models: who sends the data does not choose what a promotion measures") {
  constexpr const char* anything = R"(package aios.model_promote
import rego.v1
default allow := false
allow if input.heldout == "sent"
)";
  ModelSpec sent = spec(0);
  sent.sent_data = true;
  const std::vector<Example> flattering = {{"the refund of my money", "delivery"},
                                           {"refund me please", "delivery"}};
  const auto send = [&](Server& server, std::vector<Example> examples) {
    return server.run(
        server.models->train(person("key_trainer"), sent, std::move(examples), flattering));
  };
  SUBCASE("against what served at its training") {
    Server server;
    REQUIRE(server.train().ok());
    REQUIRE(server.promote("key_owner", 1).ok());
    const auto info = send(server, muddled());
    REQUIRE(info.ok());
    CHECK(info->heldout.accuracy == 1.0);  // on what was sent
    CHECK(info->lineage.sent_data);
    REQUIRE(server.guard.load(default_tenant(), {{"promote.rego", anything}}, JsonObject{}).ok());
    CHECK(server.promote("key_owner", 2).error().page() == 722);
  }
  SUBCASE("against what began to serve after it") {
    Server server;
    REQUIRE(send(server, muddled()).ok());
    REQUIRE(server.train().ok());
    REQUIRE(server.promote("key_owner", 2).ok());
    REQUIRE(server.guard.load(default_tenant(), {{"promote.rego", anything}}, JsonObject{}).ok());
    CHECK(server.promote("key_owner", 1).error().page() == 722);
  }
  SUBCASE("and what serves was measured on is not learnt by heart") {
    Server server;
    REQUIRE(server.train().ok());
    REQUIRE(server.promote("key_owner", 1).ok());
    std::vector<Example> examples = test::desk_examples();
    const std::size_t own = examples.size();
    for (const Example& row : held_out()) {
      examples.push_back(row);
    }
    const auto info = send(server, std::move(examples));
    REQUIRE(info.ok());
    CHECK(info->examples == own);
    CHECK(info->lineage.leaked == held_out().size());
  }
}

TEST_CASE("models: the policy sees the comparison before it decides") {
  Server server;
  REQUIRE(server.train().ok());
  REQUIRE(server.promote("key_owner", 1).ok());
  REQUIRE(server.train().ok());
  constexpr const char* strict = R"(package aios.model_promote
import rego.v1
default allow := false
allow if input.comparison.won > 0
deny contains sprintf("won %v of %v", [input.comparison.won, input.comparison.rows]) if {
  not allow
}
)";
  REQUIRE(server.guard.load(default_tenant(), {{"promote.rego", strict}}, JsonObject{}).ok());
  const auto refused = server.promote("key_owner", 2);
  REQUIRE(!refused.ok());
  CHECK(refused.error().text().find("won 0 of 4") != std::string::npos);
}

TEST_CASE("models: back to a version that served is allowed, to one that never did is not") {
  Server server;
  REQUIRE(
      server.run(server.models->train(person("key_trainer"), spec(0), muddled(), held_out())).ok());
  REQUIRE(server.promote("key_owner", 1).ok());
  REQUIRE(server.train().ok());
  REQUIRE(server.train().ok());
  REQUIRE(server.promote("key_owner", 2).ok());
  CHECK(server.promote("key_owner", 1).error().code() == Code::policy_denied);
  PromoteOptions back;
  back.rollback = true;
  const auto never =
      server.run(server.models->promote(person("key_owner"), "intent", 3, "intent", back));
  REQUIRE(!never.ok());
  CHECK(never.error().page() == 723);
  REQUIRE(
      server.run(server.models->promote(person("key_owner"), "intent", 1, "intent", back)).ok());
  CHECK(server.models->serving(default_tenant(), "intent")->version == 1);
}

TEST_CASE("models: there is no way back to a version where nothing ever served") {
  Server server;
  REQUIRE(server.train().ok());
  PromoteOptions back;
  back.rollback = true;
  const auto never =
      server.run(server.models->promote(person("key_owner"), "intent", 1, "intend", back));
  REQUIRE(!never.ok());
  CHECK(never.error().page() == 723);
  CHECK(server.models->aliases(default_tenant()).empty());
}

TEST_CASE("models: an alias that was taken away serves no more, also after a restart") {
  Server server;
  REQUIRE(server.train().ok());
  const auto remove = [&server](const std::string& by) {
    return server.run(server.models->remove_alias(person(by), "intent"));
  };
  CHECK(remove("key_owner").error().page() == 705);
  REQUIRE(server.promote("key_owner", 1).ok());
  constexpr const char* stays =
      "package aios.model_promote\nimport rego.v1\nallow := true\n"
      "deny contains \"it stays\" if input.removal\n";
  REQUIRE(server.guard.load(default_tenant(), {{"promote.rego", stays}}, JsonObject{}).ok());
  const auto refused = remove("key_owner");
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::policy_denied);
  CHECK(server.models->serving(default_tenant(), "intent").ok());
  REQUIRE(
      server.guard.load(default_tenant(), {{"promote.rego", test::promotion_policy}}, JsonObject{})
          .ok());
  const auto gone = remove("key_owner");
  REQUIRE(gone.ok());
  CHECK(gone->version == 1);
  CHECK(server.leaves().back().find("\"removed\"") != std::string::npos);
  for (int starts = 0; starts < 2; ++starts) {
    CHECK(server.models->aliases(default_tenant()).empty());
    CHECK(server.models->serving(default_tenant(), "intent").error().page() == 705);
    CHECK(remove("key_owner").error().page() == 705);
    server.stop();
    server.start();
  }
  REQUIRE(server.promote("key_owner", 1).ok());
  CHECK(server.models->serving(default_tenant(), "intent").ok());
}

TEST_CASE("models: taking an alias away does not open a way round the gate") {
  Server server;
  REQUIRE(server.train().ok());
  REQUIRE(
      server.run(server.models->train(person("key_trainer"), spec(0), muddled(), held_out())).ok());
  REQUIRE(server.promote("key_owner", 1).ok());
  CHECK(server.promote("key_owner", 2).error().code() == Code::policy_denied);
  REQUIRE(server.run(server.models->remove_alias(person("key_owner"), "intent")).ok());
  CHECK(server.promote("key_owner", 2).error().code() == Code::policy_denied);
}

/// What people said of a recall, and one of them wrong.
Task<Result<std::vector<CorrectionRow>>> said(std::vector<CorrectionRow> rows) { co_return rows; }

std::vector<CorrectionRow> recalls() {
  std::vector<CorrectionRow> rows;
  for (const char* thing : {"kettle", "heater", "lamp", "blender", "charger", "scooter", "toaster",
                            "drill", "stroller", "mixer", "grill", "ladder"}) {
    const std::string number = std::to_string(rows.size());
    rows.push_back({"cor_" + number,
                    std::string("safety recall of the ") + thing + " of batch " + number, "recall",
                    "key_person", Time{}});
  }
  rows.push_back({"cor_wrong", "refund was not paid", "recall", "key_person", Time{}});
  return rows;
}

TEST_CASE("models: what people taught is learnt, measured apart and told row by row") {
  Server server;
  ModelSpec wanted = spec();
  wanted.new_labels = {"recall", "theft"};
  wanted.row_sets = {"intents"};
  const auto learn = [&server, &wanted](const std::string& by) {
    return server.run(server.models->learn(person(by), wanted, test::desk_examples(), held_out()));
  };
  CHECK(learn("key_trainer").error().page() == 720);  // nobody said anything yet
  server.models->read_rows([](Context, std::vector<std::string>) { return said(recalls()); });
  REQUIRE(server.train().ok());
  REQUIRE(server.promote("key_owner", 1).ok());
  auto info = learn("key_trainer");
  REQUIRE(info.ok());
  const Lineage& lineage = info->lineage;
  CHECK(lineage.parent == 1);
  CHECK(lineage.refused == 1);
  CHECK(lineage.learnt + lineage.kept_back == 12);
  CHECK(lineage.kept_back > 0);
  CHECK(lineage.learnt_by_label.at("recall") == lineage.learnt);
  CHECK(lineage.waiting == std::vector<std::string>{"theft"});
  CHECK(lineage.rows_digest.size() == 64);
  CHECK(info->examples == test::desk_examples().size() + lineage.learnt);
  CHECK(info->heldout.examples == held_out().size() + lineage.kept_back);

  const auto rows = server.run(server.models->rows_of(person("key_x"), "intent", 2));
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 13);
  CHECK(rows->back().id == "cor_wrong");
  CHECK(rows->back().use == RowUse::refused);
  CHECK(rows->back().instead == "refund");
  const auto versions = server.run(server.models->versions(person("key_x"), "intent"));
  CHECK(versions->back().lineage.rows_digest == lineage.rows_digest);
  CHECK(server.leaves().back().find(lineage.rows_digest) != std::string::npos);
  const auto compared = server.run(server.models->compare(person("key_x"), "intent", 2, 1));
  REQUIRE(compared.ok());
  CHECK(compared->people_rows == lineage.kept_back);
  REQUIRE(server.promote("key_owner", 2).ok());
  CHECK(server.models->serving(default_tenant(), "intent")
            ->model->predict("is the iron part of a recall")
            .best.label == "recall");
}

TEST_CASE("models: a refused row is learnt when a second person says so, not its author") {
  Server server;
  ModelSpec wanted = spec();
  wanted.new_labels = {"recall"};
  server.models->read_rows([](Context, std::vector<std::string>) { return said(recalls()); });
  const auto accept = [&server, &wanted](const std::string& by, const std::string& id) {
    return server.run(server.models->accept_rows(person(by), wanted, std::vector<std::string>{id}));
  };
  CHECK(accept("key_person", "cor_wrong").error().page() == 725);
  CHECK(accept("key_owner", "cor_none").error().page() == 724);
  REQUIRE(accept("key_owner", "cor_wrong").ok());
  REQUIRE(accept("key_owner", "cor_wrong").ok());  // again: nothing new
  CHECK(server.leaves().size() == 1);
  const auto refused_by = [&server, &wanted](const std::string& trainer) {
    auto info = server.run(
        server.models->learn(person(trainer), wanted, test::desk_examples(), held_out()));
    REQUIRE(info.ok());
    return info->lineage.refused;
  };
  CHECK(refused_by("key_trainer") == 0);
  CHECK(refused_by("key_owner") == 1);  // who accepted it does not train with it
}

TEST_CASE("models: a training in which most rows are refused fails and says why") {
  Server server;
  server.models->read_rows([](Context, std::vector<std::string>) {
    std::vector<CorrectionRow> rows;
    for (const Example& example : test::desk_examples()) {
      rows.push_back({"cor_" + std::to_string(rows.size()), example.text,
                      example.label == "refund" ? "password" : "refund", "key_person", Time{}});
    }
    return said(std::move(rows));
  });
  const auto failed = server.run(
      server.models->learn(person("key_trainer"), spec(), test::desk_examples(), held_out()));
  REQUIRE(!failed.ok());
  CHECK(failed.error().page() == 720);
  CHECK(failed.error().text().find("cor_0") != std::string::npos);
  const auto rows = server.run(
      server.models->screen_rows(person("key_x"), spec(), test::desk_examples(), held_out()));
  REQUIRE(rows.ok());  // and each of them is still told of
  CHECK(rows->size() == test::desk_examples().size());
  CHECK(server.train().ok());
}

TEST_CASE("models: lines that the held-out set has are left out, and said; too many are refused") {
  Server server;
  auto examples = test::desk_examples();
  examples.push_back({"My parcel is late!", "delivery"});
  const auto info =
      server.run(server.models->train(person("key_trainer"), spec(), examples, held_out()));
  REQUIRE(info.ok());
  CHECK(info->lineage.leaked == 1);
  CHECK(info->examples == test::desk_examples().size());
  const auto same = server.run(server.models->train(person("key_trainer"), spec(),
                                                    test::desk_examples(), test::desk_examples()));
  REQUIRE(!same.ok());
  CHECK(same.error().page() == 728);
}

TEST_CASE("models: advice stands on the version's own held-out rows, and refuses nonsense") {
  Server server;
  REQUIRE(server.train().ok());
  AdviceWish wish;
  wish.out_of_scope = {"the soup needs more salt"};
  const auto advice = server.run(server.models->advise(person("key_x"), "intent", 0, wish));
  REQUIRE(advice.ok());
  CHECK(advice->rows == 4);
  CHECK(advice->out_of_scope == 1);
  CHECK(advice->version == 1);
  CHECK(advice->novelty);
  CHECK(!advice->safe);  // four rows prove nothing
  wish.error_max = 0;
  CHECK(server.run(server.models->advise(person("key_x"), "intent", 1, wish)).error().page() ==
        727);
  CHECK(server.run(server.models->advise(person("key_x"), "none", 0, {})).error().page() == 704);
}

}  // namespace
}  // namespace aios::models

// SPDX-License-Identifier: Apache-2.0
#include "models/models.h"

#include "core/text.h"
#include "models/test/examples.h"
#include "models/test/server.h"

#include <doctest/doctest.h>

namespace aios::models {
namespace {

using test::held_out;
using test::person;
using test::Server;
using test::spec;

TEST_CASE("models: a trained version is registered with data, metrics and owner, and audited") {
  Server server;
  const auto info = server.train();
  REQUIRE(info.ok());
  CHECK(info->version == 1);
  CHECK(info->examples == test::desk_examples().size());
  CHECK(info->dataset_digest == dataset_digest(test::desk_examples()));
  CHECK(info->heldout_digest == dataset_digest(held_out()));
  CHECK(info->heldout.examples == 4);
  CHECK(info->heldout.accuracy >= 0.75);
  CHECK(info->trained_by == "key_trainer");
  CHECK(info->training.count() > 0);

  const auto versions = server.run(server.models->versions(person("key_x"), "intent"));
  REQUIRE(versions.ok());
  REQUIRE(versions->size() == 1);
  const VersionInfo& kept = versions->front();
  CHECK(kept.blob == info->blob);
  CHECK(kept.owner == "desk@example.com");
  CHECK(kept.failure_modes == spec().failure_modes);
  CHECK(kept.seed == 7);
  CHECK(kept.heldout.accuracy == info->heldout.accuracy);
  CHECK(kept.heldout.recall_by_label == info->heldout.recall_by_label);
  CHECK(kept.created == info->created);

  const auto leaves = server.leaves();
  REQUIRE(leaves.size() == 1);
  CHECK(leaves[0].find("\"intent@1\"") != std::string::npos);
  CHECK(leaves[0].find(info->dataset_digest) != std::string::npos);
}

TEST_CASE("models: versions are numbered without gaps and never serve by themselves") {
  Server server;
  REQUIRE(server.train().ok());
  const auto second = server.train();
  REQUIRE(second.ok());
  CHECK(second->version == 2);
  const auto versions = server.run(server.models->versions(person("key_x"), "intent"));
  REQUIRE(versions.ok());
  REQUIRE(versions->size() == 2);
  CHECK((*versions)[1].version == 2);
  const auto serving = server.models->serving(default_tenant(), "intent");
  REQUIRE(!serving.ok());
  CHECK(serving.error().code() == Code::not_found);
  CHECK(serving.error().page() == 705);
}

TEST_CASE("models: who trained and asks to promote is told so, also where policy denies it") {
  Server server;
  REQUIRE(server.train().ok());
  REQUIRE(server.guard
              .load(default_tenant(),
                    {{"promote.rego",
                      "package aios.model_promote\nimport rego.v1\n"
                      "deny contains \"not today\" if true\n"}},
                    JsonObject{})
              .ok());
  CHECK(server.promote("key_trainer", 1).error().page() == 706);  // the reason that stays
  CHECK(server.promote("key_owner", 1).error().page() == 501);
}

TEST_CASE("models: another key of who trained is the same person, however its name is written") {
  Server server;
  server.models->know_holders([](const TenantId&, const std::string& key) -> std::string {
    return key == "key_trainer" ? "Mallory M" : key == "key_second" ? " mallory  m" : "Olga";
  });
  REQUIRE(server.train().ok());
  const auto own = server.promote("key_second", 1);
  REQUIRE(!own.ok());
  CHECK(own.error().page() == 706);
  CHECK(server.promote("key_owner", 1).ok());
}

TEST_CASE("models: the one who trained may not promote, whatever policy says; another one may") {
  Server server;
  REQUIRE(server.train().ok());
  const auto own = server.promote("key_trainer", 1);
  REQUIRE(!own.ok());
  CHECK(own.error().code() == Code::failed_precondition);
  CHECK(own.error().page() == 706);
  CHECK(!server.models->serving(default_tenant(), "intent").ok());
  const auto other = server.promote("key_owner", 1);
  REQUIRE(other.ok());
  CHECK(other->set_by == "key_owner");
  const auto serving = server.models->serving(default_tenant(), "intent");
  REQUIRE(serving.ok());
  CHECK(serving->name == "intent");
  CHECK(serving->version == 1);
  CHECK(serving->model->predict("refund my money").best.label == "refund");
  const auto leaves = server.leaves();
  REQUIRE(leaves.size() == 3);
  CHECK(leaves[1].find("\"refused\"") != std::string::npos);
  CHECK(leaves[2].find("\"promoted\"") != std::string::npos);
}

TEST_CASE("models: a gate that was not passed reaches the policy, and its refusal is audited") {
  Server server;
  const auto info = server.train("key_trainer", 1.01);
  REQUIRE(info.ok());
  const auto refused = server.promote("key_owner", 1);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::policy_denied);
  CHECK(refused.error().text().find("wanted at least 1.01") != std::string::npos);
  CHECK(server.models->aliases(default_tenant()).empty());
  CHECK(server.leaves().back().find("\"refused\"") != std::string::npos);
}

TEST_CASE("models: a label that nothing measured is kept with the version and reaches the policy") {
  Server server;
  constexpr const char* all_measured = R"(package aios.model_promote
import rego.v1
default allow := false
allow if count(input.metrics.unmeasured) == 0
deny contains sprintf("not measured: %v", [label]) if some label in input.metrics.unmeasured
)";
  REQUIRE(server.guard.load(default_tenant(), {{"promote.rego", all_measured}}, JsonObject{}).ok());
  auto lines = held_out();
  std::erase_if(lines, [](const Example& line) { return line.label == "password"; });
  const auto info =
      server.run(server.models->train(person("key_trainer"), spec(), test::desk_examples(), lines));
  REQUIRE(info.ok());
  const auto versions = server.run(server.models->versions(person("key_x"), "intent"));
  REQUIRE(versions.ok());
  CHECK(versions->front().heldout.unmeasured == std::vector<std::string>{"password"});
  const auto refused = server.promote("key_owner", 1);
  REQUIRE(!refused.ok());
  CHECK(refused.error().text().find("not measured: password") != std::string::npos);
}

TEST_CASE("models: without a policy nothing is promoted") {
  Server server;
  REQUIRE(server
              .run(server.models->train(person("key_a", "other"), spec(), test::desk_examples(),
                                        held_out()))
              .ok());
  const auto refused =
      server.run(server.models->promote(person("key_b", "other"), "intent", 1, "intent", {}));
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::policy_denied);
}

TEST_CASE("models: what serves survives a restart, the history of the alias too, per tenant") {
  Server server;
  REQUIRE(server.train().ok());
  REQUIRE(server.train().ok());
  REQUIRE(server.promote("key_owner", 2).ok());
  REQUIRE(server.promote("key_owner", 1).ok());
  server.stop();
  server.start();
  const auto serving = server.models->serving(default_tenant(), "intent");
  REQUIRE(serving.ok());
  CHECK(serving->version == 1);
  CHECK(serving->model->predict("where is the parcel").best.label == "delivery");
  const auto aliases = server.models->aliases(default_tenant());
  REQUIRE(aliases.size() == 1);
  CHECK(aliases[0].set_by == "key_owner");
  const auto history = server.run(server.models->history(person("key_x"), "intent"));
  REQUIRE(history.ok());
  REQUIRE(history->size() == 2);
  CHECK((*history)[0].version == 2);
  CHECK((*history)[1].version == 1);
  CHECK(!server.models->serving(*TenantId::parse("other"), "intent").ok());
}

TEST_CASE("models: an unknown alias is answered with the nearest one") {
  Server server;
  REQUIRE(server.train().ok());
  REQUIRE(server.promote("key_owner", 1).ok());
  const auto missing = server.models->serving(default_tenant(), "intnet");
  REQUIRE(!missing.ok());
  CHECK(missing.error().text().find("did you mean 'intent'") != std::string::npos);
}

TEST_CASE("models: a model whose key was destroyed does not keep the server from starting") {
  Server server;
  REQUIRE(server.train().ok());
  REQUIRE(server.promote("key_owner", 1).ok());
  REQUIRE(server.run(server.store->erase_subject(person("key_x"), "model:intent")).ok());
  server.stop();
  server.start();
  const auto serves = server.models->serving(default_tenant(), "intent");
  REQUIRE(!serves.ok());
  CHECK(serves.error().page() == 705);  // a run that asks waits for another version
  CHECK(serves.error().message().find("cannot be read") != std::string::npos);
  const auto versions = server.run(server.models->versions(person("key_x"), "intent"));
  REQUIRE(versions.ok());
  CHECK(versions->empty());
  const auto next = server.train();
  REQUIRE(next.ok());
  CHECK(next->version == 2);
  REQUIRE(server.promote("key_owner", 2).ok());  // there is nothing left to be compared with
  CHECK(server.models->serving(default_tenant(), "intent").ok());
}

TEST_CASE("models: refuses names, engines, versions and callers it cannot accept") {
  Server server;
  auto bad_name = spec();
  bad_name.name = "Intent Model";
  auto bad_engine = spec();
  bad_engine.engine = "crystal_ball";
  const auto examples = test::desk_examples();
  const auto train = [&server, &examples](const Context& ctx, const ModelSpec& wanted) {
    return server.run(server.models->train(ctx, wanted, examples, {}));
  };
  CHECK(train(person("key_a"), bad_name).error().page() == 707);
  CHECK(train(person("key_a"), bad_engine).error().page() == 708);
  Context nobody = person("key_a");
  nobody.principal = nullptr;
  CHECK(train(nobody, spec()).error().code() == Code::unauthenticated);
  const auto promote = [&server](std::uint32_t version, const std::string& alias) {
    return server.run(server.models->promote(person("key_b"), "intent", version, alias, {}));
  };
  CHECK(promote(9, "intent").error().page() == 704);
  CHECK(promote(9, "In tent").error().page() == 707);
  CHECK(server.leaves().empty());
}

TEST_CASE("models: without held-out examples a fifth of every label is kept back") {
  Server server;
  const auto info =
      server.run(server.models->train(person("key_a"), spec(), test::desk_examples(), {}));
  REQUIRE(info.ok());
  CHECK(info->heldout.examples == 3);  // 8 a label
  CHECK(info->examples == 21);
  CHECK(info->dataset_digest != info->heldout_digest);
}

TEST_CASE("models: a cancelled training registers nothing, and the next one may run") {
  Server server;
  Context ctx = person("key_a");
  ctx.cancel = std::make_shared<CancelState>();
  ctx.cancel->cancel();
  const auto stopped =
      server.run(server.models->train(ctx, spec(), test::desk_examples(), held_out()));
  REQUIRE(!stopped.ok());
  CHECK(stopped.error().code() == Code::cancelled);
  server.pool = nullptr;  // waits for what still runs
  server.stop();
  server.start();
  const auto versions = server.run(server.models->versions(person("key_x"), "intent"));
  REQUIRE(versions.ok());
  CHECK(versions->empty());
  CHECK(server.train().ok());
}

}  // namespace
}  // namespace aios::models

// SPDX-License-Identifier: Apache-2.0
#include "govern/guard.h"

#include "core/text.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

namespace aios::govern {
namespace {

constexpr const char* kModels = R"(package aios.pre_model_call
import rego.v1
default allow := false
allow if input.model.alias == "intent"
deny contains msg if { input.content.characters > data.params.limit; msg := "too long" }
escalate contains "ask a person" if input.model.alias == "risky"
warn contains "a new version" if input.model.version == 9
obligations contains {"type": "cap", "characters": 10} if input.model.version == 9
)";

Context context_of(const TenantId& tenant = default_tenant()) {
  Context ctx = system_context(tenant, "test");
  ctx.principal = std::make_shared<const Principal>(Principal{"key_1", "key", {"developer"}});
  return ctx;
}

JsonObject call(std::string_view alias, int characters = 5, int version = 1) {
  return {{"model", {{"alias", alias}, {"version", version}, {"region", "local"}}},
          {"content", {{"personal", JsonArray()}, {"characters", characters}}}};
}

Json params() { return JsonObject{{"limit", 100}}; }

Result<void> load(Guard& guard, const std::vector<PolicyFile>& files) {
  return guard.load(default_tenant(), files, params());
}

Ruling ask(const Guard& guard, JsonObject facts, GuardPoint point = GuardPoint::pre_model_call) {
  return guard.ask(context_of(), point, std::move(facts));
}

std::string joined(const Ruling& ruling) { return join(ruling.decision.reasons, "; "); }

struct Loaded {
  Guard guard;
  Loaded() { REQUIRE(load(guard, {{"policies/models.rego", kModels}}).ok()); }
};

}  // namespace

TEST_CASE("guard: allow gives a permit, and the decision says on what ground") {
  Loaded f;
  const auto ruling = ask(f.guard, call("intent"));
  REQUIRE(ruling.allowed());
  CHECK(ruling.decision.verdict == Verdict::allow);
  CHECK(ruling.decision.reasons.empty());
  CHECK(ruling.decision.id.starts_with("dec_"));
  CHECK(ruling.decision.bundle_digest == f.guard.bundle_digest(default_tenant()));
  CHECK(ruling.decision.input_digest.size() == 64);
  CHECK(ruling.permit->decision().id == ruling.decision.id);
  CHECK(to_text(ruling.decision.to_json()).find("reasons") == std::string::npos);
}

TEST_CASE("guard: deny beats escalate, escalate beats a missing allow, warn comes with a permit") {
  Loaded f;
  CHECK(joined(ask(f.guard, call("intent", 500))) == "too long");
  CHECK(joined(ask(f.guard, call("risky", 500))) == "too long");
  const auto risky = ask(f.guard, call("risky"));
  CHECK(risky.decision.verdict == Verdict::escalate);
  CHECK_FALSE(risky.allowed());
  CHECK(risky.to_error().text().find("wants a person to decide pre_model_call: ask a person") !=
        std::string::npos);
  const auto other = ask(f.guard, call("other"));
  CHECK(other.decision.verdict == Verdict::deny);
  CHECK(joined(other) == "no rule of aios.pre_model_call allows it");
  CHECK(other.to_error().code() == Code::policy_denied);
  CHECK(other.to_error().page() == 501);
  const auto fresh = ask(f.guard, call("intent", 5, 9));
  CHECK(fresh.decision.verdict == Verdict::warn);
  CHECK(fresh.allowed());
  REQUIRE(fresh.decision.obligations.size() == 1);
  CHECK(fresh.decision.obligations[0].at("type") == "cap");
}

TEST_CASE("guard: without a bundle every point is denied") {
  Guard guard;
  for (int point = 0; point < 6; ++point) {
    const auto ruling = ask(guard, call("intent"), static_cast<GuardPoint>(point));
    CHECK_FALSE(ruling.allowed());
    CHECK(joined(ruling) == "no policy is loaded for tenant 'default'");
  }
  CHECK_FALSE(ask(guard, {}, GuardPoint::incident_settle).allowed());
  Loaded f;
  CHECK_FALSE(f.guard
                  .ask(context_of(TenantId::parse("other").value()), GuardPoint::pre_model_call,
                       call("intent"))
                  .allowed());
  CHECK_FALSE(
      f.guard.ask(context_of(TenantId()), GuardPoint::pre_model_call, call("intent")).allowed());
}

TEST_CASE("guard: a point without a package is denied where something would leave, else allowed") {
  Guard guard;
  REQUIRE(load(guard, {{"a.rego", "package helpers\nx := 1"}}).ok());
  for (const GuardPoint point :
       {GuardPoint::pre_model_call, GuardPoint::connector_egress, GuardPoint::model_promote}) {
    CHECK(joined(ask(guard, call("intent"), point)) ==
          "the bundle has no package aios." + std::string(name_of(point)));
  }
  for (const GuardPoint point : {GuardPoint::event_admit, GuardPoint::post_model_call,
                                 GuardPoint::review_assign, GuardPoint::incident_settle}) {
    CHECK(ask(guard, {}, point).allowed());
  }
  CHECK_FALSE(ask(guard, {}, GuardPoint::question).allowed());
}

TEST_CASE("guard: a rule of the wrong type or one that fails denies") {
  Guard guard;
  const auto reason = [&](const std::string& rules) {
    REQUIRE(
        load(guard, {{"a.rego", "package aios.pre_model_call\nimport rego.v1\n" + rules}}).ok());
    const auto ruling = ask(guard, call("intent"));
    CHECK_FALSE(ruling.allowed());
    return joined(ruling);
  };
  CHECK(reason("allow := \"yes\"").find("rule 'allow' is of type string, wanted true or false") !=
        std::string::npos);
  CHECK(reason("allow := true\ndeny := true").find("rule 'deny' is of type boolean") !=
        std::string::npos);
  CHECK(reason("allow := true\nobligations contains \"redact\"").find("wanted objects") !=
        std::string::npos);
  CHECK(reason("allow := false") == "no rule of aios.pre_model_call allows it");
  CHECK(reason("x := 1") == "no rule of aios.pre_model_call allows it");
  CHECK(reason("allow if { x := 1 }\nallow := 2 if { true }").find("aios.pre_model_call") !=
        std::string::npos);
}

TEST_CASE("guard: personal data stays in the tenant's region whatever the bundle says") {
  Guard guard;
  REQUIRE(load(guard, {{"a.rego", "package aios.pre_model_call\nallow := true"}}).ok());
  guard.set_region(default_tenant(), "eu");
  const auto with = [&](const char* region, JsonArray personal) {
    JsonObject facts{{"model", {{"region", region}}},
                     {"content", {{"personal", std::move(personal)}}}};
    return ask(guard, std::move(facts));
  };
  CHECK(with("eu", {"email"}).allowed());
  CHECK(with("local", {"email"}).allowed());
  CHECK(with("us", {}).allowed());
  CHECK(joined(with("us", {"email"})) ==
        "personal data must not leave region 'eu' for a model in 'us'");
  CHECK_FALSE(with("", {"email"}).allowed());
  CHECK_FALSE(ask(guard, {{"model", {{"region", "us"}}}}).allowed());
  guard.set_region(default_tenant(), "");
  CHECK_FALSE(with("", {"email"}).allowed());
  CHECK_FALSE(with("eu", {"email"}).allowed());
}

TEST_CASE("guard: the facts are input, and cannot pretend to be the guard's own") {
  Guard guard;
  REQUIRE(load(guard, {{"a.rego", R"(package aios.connector_egress
import rego.v1
default allow := false
allow if {
  input.point == "connector_egress"
  input.tenant == {"id": "default", "region": "eu"}
  input.principal == {"id": "key_1", "kind": "key", "roles": ["developer"]}
  "personal" in input.labels
  input.connector.name == "desk"
})"}})
              .ok());
  guard.set_region(default_tenant(), "eu");
  const Context ctx = context_of().with_label(DataLabel::personal);
  const JsonObject facts{{"connector", {{"name", "desk"}}}};
  CHECK(guard.ask(ctx, GuardPoint::connector_egress, facts).allowed());
  CHECK_FALSE(guard.ask(context_of(), GuardPoint::connector_egress, facts).allowed());
  JsonObject forged = facts;
  forged["labels"] = JsonArray{"personal"};
  CHECK_FALSE(guard.ask(context_of(), GuardPoint::connector_egress, forged).allowed());
  forged["principal"] = JsonObject{{"id", "root"}};
  CHECK(guard.ask(ctx, GuardPoint::connector_egress, forged).allowed());
}

TEST_CASE(
    "guard: a decision is known again when nothing the bundle reads has changed, with a new id") {
  Loaded f;
  JsonObject first = call("intent");
  first["run"] = JsonObject{{"id", "run_1"}};
  JsonObject second = call("intent");
  second["run"] = JsonObject{{"id", "run_2"}};
  const auto a = ask(f.guard, first);
  const auto b = ask(f.guard, second);
  CHECK(f.guard.stats().cache_hits == 1);
  CHECK(a.decision.id != b.decision.id);
  CHECK(a.decision.input_digest == b.decision.input_digest);
  CHECK_FALSE(ask(f.guard, call("intent", 101)).allowed());
  CHECK(f.guard.stats().cache_hits == 1);
}

TEST_CASE("guard: a known decision does not outlive its bundle, its region or its principal") {
  Guard guard;
  const char* text = R"(package aios.connector_egress
import rego.v1
default allow := false
allow if { input.tenant.region == "eu"; "developer" in input.principal.roles })";
  REQUIRE(load(guard, {{"a.rego", text}}).ok());
  guard.set_region(default_tenant(), "eu");
  const auto allowed = [&](const Context& ctx) {
    return guard.ask(ctx, GuardPoint::connector_egress, {}).allowed();
  };
  CHECK(allowed(context_of()));
  CHECK(allowed(context_of()));
  Context other = context_of();
  other.principal = std::make_shared<const Principal>(Principal{"key_1", "key", {"ingest"}});
  CHECK_FALSE(allowed(other));
  other.principal = nullptr;
  CHECK_FALSE(allowed(other));
  guard.set_region(default_tenant(), "us");
  CHECK_FALSE(allowed(context_of()));
  guard.set_region(default_tenant(), "eu");
  REQUIRE(load(guard, {{"a.rego", "package aios.connector_egress\nallow := false"}}).ok());
  CHECK_FALSE(allowed(context_of()));
}

TEST_CASE("guard: decisions of a bundle that reads the clock are not kept") {
  Guard guard;
  REQUIRE(
      load(guard, {{"a.rego",
                    "package aios.connector_egress\nimport rego.v1\nallow if time.now_ns() > 0"}})
          .ok());
  CHECK(ask(guard, {}, GuardPoint::connector_egress).allowed());
  CHECK(ask(guard, {}, GuardPoint::connector_egress).allowed());
  CHECK(guard.stats().cache_hits == 0);
}

TEST_CASE("guard: more different facts than the cache holds are still decided rightly") {
  Loaded f;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 6'000; ++i) {
      const bool allowed = ask(f.guard, call("intent", i)).allowed();
      REQUIRE(allowed == (i <= 100));
    }
  }
}

TEST_CASE("guard: refused files leave the old ones in place and name file, line and column") {
  Loaded f;
  const std::string before = f.guard.bundle_digest(default_tenant());
  const auto refusal = [&](const std::string& text) {
    const auto loaded = load(f.guard, {{"policies/x.rego", text}});
    REQUIRE_FALSE(loaded.ok());
    CHECK(loaded.error().code() == Code::invalid_argument);
    CHECK(loaded.error().file() == "policies/x.rego");
    CHECK(loaded.error().line() > 0);
    CHECK(loaded.error().column() > 0);
    return loaded.error();
  };
  CHECK(refusal("package a\nimport rego.v1\nallow if {").page() == 502);
  CHECK(refusal("package a\nimport rego.v1\nf(x) := f(x + 1)\ny := f(1)").page() == 502);
  const Error deep = refusal("package a\nimport rego.v1\n# [[\nx := " + std::string(30, '[') +
                             std::string(30, ']'));  // else minutes in the engine's parser
  CHECK(deep.page() == 502);
  CHECK(deep.line() == 4);
  const Error near = refusal("package aios.pre_model_cal\nallow := true");
  CHECK(near.page() == 503);
  CHECK(near.text().find("did you mean 'aios.pre_model_call'") != std::string::npos);
  CHECK(near.line() == 1);
  CHECK(refusal("package aios.zzz\nallow := true").text().find("there are: aios.event_admit") !=
        std::string::npos);
  CHECK(f.guard.bundle_digest(default_tenant()) == before);
  CHECK(ask(f.guard, call("intent")).allowed());
}

TEST_CASE("guard: the digest is of files and parameters, in any order of the files") {
  Guard guard;
  const PolicyFile a{"a.rego", "package a\nx := 1"};
  const PolicyFile b{"b.rego", "package b\nx := 1"};
  CHECK(guard.bundle_digest(default_tenant()).empty());
  REQUIRE(load(guard, {a, b}).ok());
  const std::string digest = guard.bundle_digest(default_tenant());
  REQUIRE(load(guard, {b, a}).ok());
  CHECK(guard.bundle_digest(default_tenant()) == digest);
  REQUIRE(guard.load(default_tenant(), {a, b}, JsonObject{{"limit", 101}}).ok());
  CHECK(guard.bundle_digest(default_tenant()) != digest);
}

TEST_CASE("guard: a question of the document is answered, without a permit") {
  Guard guard;
  REQUIRE(load(guard, {{"s.rego", R"(package support
import rego.v1
decide := {"action": "automatic"} if input.confidence >= data.params.limit / 200
settle := 1 if input.never)"}})
              .ok());
  const auto answer = guard.query(context_of(), "support/decide", JsonObject{{"confidence", 0.5}});
  REQUIRE(answer.ok());
  CHECK(answer->value == Json(JsonObject{{"action", "automatic"}}));
  CHECK_FALSE(answer->decision.id.empty());
  CHECK(answer->decision.point == GuardPoint::question);
  CHECK(answer->decision.verdict == Verdict::allow);
  CHECK(answer->decision.input_digest.size() == 64);
  const auto error = [&](std::string_view path) {
    return guard.query(context_of(), path, JsonObject()).error();
  };
  CHECK(error("support/settle").page() == 504);
  CHECK(error("support/unknown").page() == 505);
  CHECK(error("nothing/here").code() == Code::not_found);
  CHECK(error("../x").code() == Code::not_found);
  CHECK(error("").code() == Code::not_found);
  CHECK(guard.query(context_of(TenantId::parse("other").value()), "support/decide", JsonObject())
            .error()
            .code() == Code::not_found);
}

TEST_CASE("guard: tests of a bundle are run and the failed ones named with their place") {
  const PolicyFile policy{"m.rego", kModels};
  const std::string head = "package m_test\nimport rego.v1\nimport data.aios.pre_model_call as m\n";
  const PolicyFile good{
      "m_test.rego",
      head + "test_allows if m.allow with input as {\"model\": {\"alias\": \"intent\"}}\n"};
  const auto passed = Guard::test({policy, good}, params());
  REQUIRE(passed.ok());
  CHECK(*passed == std::vector<std::string>{"ok m_test.test_allows"});
  const PolicyFile bad{"n_test.rego", "package n_test\nimport rego.v1\ntest_wrong if 1 == 2\n"};
  const auto failed = Guard::test({policy, good, bad}, params());
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().page() == 506);
  CHECK(failed.error().text().find("1 of 2 policy tests failed: n_test.rego:3:") !=
        std::string::npos);
  CHECK(failed.error().text().find("n_test.test_wrong") != std::string::npos);
  CHECK(Guard::test({{"x_test.rego", "package x\nimport rego.v1\ntest_a if {"}}, params())
            .error()
            .page() == 502);
}

TEST_CASE("guard: test files are not part of what runs") {
  Guard guard;
  REQUIRE(load(guard, {{"a.rego", "package aios.connector_egress\nallow := false"},
                       {"a_test.rego", "package aios.connector_egress\nallow := true"}})
              .ok());
  CHECK_FALSE(ask(guard, {}, GuardPoint::connector_egress).allowed());
}

TEST_CASE("guard: many threads ask while policies are replaced, and each answer is of one bundle") {
  Guard guard;
  const PolicyFile yes{"a.rego", "package aios.connector_egress\nallow := true"};
  const PolicyFile no{"a.rego", "package aios.connector_egress\nallow := false"};
  REQUIRE(load(guard, {yes}).ok());
  const std::string digest = guard.bundle_digest(default_tenant());
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; !stop.load(); ++n) {
        const JsonObject facts{{"n", n % 7 + i}};
        const auto ruling = guard.ask(context_of(), GuardPoint::connector_egress, facts);
        wrong += ruling.allowed() != (ruling.decision.bundle_digest == digest) ? 1 : 0;
      }
    });
  }
  for (int i = 0; i < 6; ++i) {
    CHECK(load(guard, {i % 2 == 0 ? no : yes}).ok());
  }
  stop = true;
  for (auto& thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0);
}

}  // namespace aios::govern

// SPDX-License-Identifier: Apache-2.0
#include "core/crypto.h"
#include "core/text.h"
#include "govern/audit.h"
#include "govern/opening.h"

#include <doctest/doctest.h>

namespace aios::govern {
namespace {

Context context_of(const TenantId& tenant) {
  Context ctx = system_context(tenant, "test");
  ctx.principal = std::make_shared<const Principal>(Principal{"key_1", "key", {"developer"}});
  return ctx;
}

}  // namespace

TEST_CASE("audit: a leaf is canonical JSON with its decision and a commitment to its payload") {
  LeafFacts facts(LeafKind::model_call);
  facts.stream = "run_1";
  facts.outcome = "ok";
  facts.facts["model"] = "intent@3";
  facts.payload = "my name is Anna";
  Decision decision;
  decision.id = "dec_1";
  decision.point = GuardPoint::pre_model_call;
  decision.verdict = Verdict::allow;
  facts.decisions.push_back(decision);
  const auto leaf = make_leaf(context_of(default_tenant()), {1'790'000'000'000'000'000}, facts);
  const auto parsed = parse_json(leaf.bytes).value();
  CHECK(to_canonical_text(parsed).value() == leaf.bytes);
  CHECK(leaf.salt.size() == 16);
  CHECK(int_or(parsed, "v", 0) == 2);
  CHECK(parts_of(parsed) == std::vector<std::string>{"payload"});
  CHECK(leaf.bytes.find("Anna") == std::string::npos);
  CHECK(view(at_pointer(parsed, "/decisions/0/verdict")->get_string()) == "allow");
  CHECK(view(at_pointer(parsed, "/principal/id")->get_string()) == "key_1");
  CHECK(find(parsed, "step") == nullptr);
}

TEST_CASE("audit: a leaf with everything is canonical JSON, whatever its texts are") {
  LeafFacts facts(LeafKind::effect_intent);
  facts.stream = "run_\"quoted\" \\";
  facts.step = std::string(300, 'x') + "\n";
  facts.outcome = "caf\xC3\xA9 \xFF";
  facts.facts = {{"z", 1}, {"a", JsonArray{1.5, nullptr, "\t"}}, {"m", JsonObject{{"y", 2}}}};
  facts.payload = "one";
  facts.contents = {{"payload", "another"},
                    {"\xEF\xAC\xB3", "high"},
                    {"\xF0\x9F\x98\x80", "beyond"},
                    {"a \"name\"", "\x01"},
                    {"facts", "of the caller"}};
  for (const char* id : {"dec_2", "dec_1"}) {
    Decision decision;
    decision.id = id;
    decision.point = GuardPoint::connector_egress;
    decision.verdict = Verdict::warn;
    decision.reasons = {"a \"reason\"", "made of the input"};
    decision.fixed_reasons = {"a \"reason\"", "and \n another"};
    decision.bundle_digest = "abc";
    decision.input = std::make_shared<const std::string>("{}");
    decision.input_digest = to_hex(view(sha256(*decision.input)));
    decision.obligations.push_back(JsonObject{{"type", "redact"}});
    facts.decisions.push_back(decision);
  }
  Context ctx = context_of(default_tenant());
  ctx.trace = Trace::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const auto leaf = make_leaf(ctx, {1'790'000'000'000'000'000}, facts);
  const auto parsed = parse_json(leaf.bytes).value();
  CHECK(to_canonical_text(parsed).value() == leaf.bytes);
  CHECK(text_or(parsed, "stream", "") == facts.stream);
  CHECK(text_or(parsed, "outcome", "") == "caf\xC3\xA9 ?");
  CHECK(text_or(parsed, "step", "").size() == 256 + 3);
  CHECK(text_or(parsed, "trace", "") == "0af7651916cd43dd8448eb211c80319c");
  CHECK(*find(parsed, "facts") == Json(facts.facts));
  for (std::size_t i = 0; i < facts.decisions.size(); ++i) {
    const Json& said = find(parsed, "decisions")->get_array().at(i);
    const Json wanted = facts.decisions[i].to_json();
    for (const auto& member : wanted.get_object()) {
      CHECK(*find(said, std::string(member.key())) == member.value());
    }
    CHECK(said.get_object().size() == wanted.get_object().size() + 3);
  }
  const auto kept = parse_json(leaf.contents).value();
  CHECK(kept.get_object().size() == 4 + facts.contents.size());
  for (const auto& [part, content] : facts.contents) {
    CHECK(text_or(kept, part, "") == content);
    CHECK(check_opening(parsed, part, leaf.salt, content).ok());
  }
  CHECK_FALSE(check_opening(parsed, "payload", leaf.salt, facts.payload).ok());  // named twice
}

TEST_CASE("audit: facts that are too long or no JSON number are left out and committed to") {
  LeafFacts facts(LeafKind::event);
  facts.facts["text"] = std::string(100'000, 'x');
  auto leaf = make_leaf(context_of(default_tenant()), {}, facts);
  CHECK(leaf.bytes.size() < 1'000);
  auto parsed = parse_json(leaf.bytes).value();
  CHECK(at_pointer(parsed, "/facts/omitted_bytes") != nullptr);
  CHECK(check_opening(parsed, "facts", leaf.salt, to_text(facts.facts)).ok());
  facts.facts = {{"n", std::uint64_t{1} << 60}};
  leaf = make_leaf(context_of(default_tenant()), {}, facts);
  parsed = parse_json(leaf.bytes).value();
  CHECK(check_opening(parsed, "facts", leaf.salt, to_text(facts.facts)).ok());
}

TEST_CASE("audit: a size among the facts is a number like any other") {
  LeafFacts facts(LeafKind::event);
  facts.facts["size_bytes"] = std::size_t{900};
  const auto leaf = make_leaf(context_of(default_tenant()), {}, facts);
  CHECK(leaf.bytes.find(R"("facts":{"size_bytes":900})") != std::string::npos);
}

TEST_CASE("audit: what a policy made of the input is committed to, its own sentences are shown") {
  Guard guard;
  const PolicyFile file{"policies/egress.rego", R"(package aios.connector_egress
import rego.v1
default allow := false
obligations contains {"type": "redact", "mark": input.arguments.iban}
allow if input.arguments.kind == "free"
deny contains "orders of minors are not shipped" if input.arguments.kind != "free"
deny contains sprintf("not to %v", [input.arguments.iban]) if input.arguments.kind != "free"
deny contains input.arguments.kind if input.arguments.kind == "fraud"
)"};
  REQUIRE(guard.load(default_tenant(), {file}, {}).ok());
  const Context ctx = context_of(default_tenant());
  for (const char* kind : {"fraud", "free"}) {
    CAPTURE(kind);
    const bool free = std::string_view(kind) == "free";
    const JsonObject arguments{{"iban", "DE89370400440532013000"}, {"kind", kind}};
    const auto ruling = guard.ask(ctx, GuardPoint::connector_egress, {{"arguments", arguments}});
    LeafFacts facts(LeafKind::effect_intent);
    facts.decisions.push_back(ruling.decision);
    const auto leaf = make_leaf(ctx, {}, facts);
    CAPTURE(leaf.bytes);
    CHECK(leaf.bytes.find("DE89370400440532013000") == std::string::npos);
    CHECK(leaf.bytes.find("fraud") == std::string::npos);
    CHECK((leaf.bytes.find(R"("reasons":["orders of minors are not shipped"])") ==
           std::string::npos) == free);
    const auto parsed = parse_json(leaf.bytes).value();
    CHECK(int_or(*at_pointer(parsed, "/decisions/0/said"), "reasons", -1) == (free ? 0 : 3));
    CHECK(int_or(*at_pointer(parsed, "/decisions/0/said"), "obligations", -1) == (free ? 1 : 0));
    const std::string part = ruling.decision.id + "/grounds";
    CHECK(parts_of(parsed) == std::vector<std::string>{ruling.decision.id, part});
    const auto contents = parse_json(leaf.contents).value();
    const std::string kept(text_or(contents, part, ""));
    CHECK(kept.find("DE89370400440532013000") != std::string::npos);
    CHECK(check_opening(parsed, part, leaf.salt, kept).ok());
    CHECK_FALSE(check_opening(parsed, part, std::string(16, 'x'), kept).ok());
    CHECK_FALSE(check_opening(parsed, part, leaf.salt, kept + " ").ok());
    CHECK_FALSE(check_opening(parsed, "dec_other/grounds", leaf.salt, kept).ok());
  }
}

TEST_CASE("audit: a decision on fixed grounds alone says them all and commits to nothing more") {
  const Guard guard;  // no bundle: the guard's own reason
  const Context ctx = context_of(default_tenant());
  LeafFacts facts(LeafKind::event);
  facts.decisions.push_back(guard.ask(ctx, GuardPoint::event_admit, {}).decision);
  const auto leaf = make_leaf(ctx, {}, facts);
  CHECK(leaf.bytes.find(R"("reasons":["no policy is loaded for tenant 'default'"])") !=
        std::string::npos);
  CHECK(leaf.bytes.find("grounds") == std::string::npos);
}

}  // namespace aios::govern

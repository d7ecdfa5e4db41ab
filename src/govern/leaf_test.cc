// SPDX-License-Identifier: Apache-2.0
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
  LeafFacts facts;
  facts.kind = "model_call";
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

TEST_CASE("audit: facts that are too long or no JSON number are left out and committed to") {
  LeafFacts facts;
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
  LeafFacts facts;
  facts.facts["size_bytes"] = std::size_t{900};
  const auto leaf = make_leaf(context_of(default_tenant()), {}, facts);
  CHECK(leaf.bytes.find(R"("facts":{"size_bytes":900})") != std::string::npos);
}

}  // namespace aios::govern

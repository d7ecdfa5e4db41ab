// SPDX-License-Identifier: Apache-2.0
#include "govern/opening.h"

#include "core/text.h"
#include "govern/audit.h"
#include "govern/merkle.h"
#include "govern/test/fixtures.h"

#include <doctest/doctest.h>

using namespace aios;
using namespace aios::govern;

namespace {

constexpr const char* refund_policy = R"(package aios.connector_egress
import rego.v1
default allow := false
allow if input.arguments.amount < 100
)";

Context asker() {
  Context ctx;
  ctx.tenant = default_tenant();
  return ctx;
}

Decision asked(const Guard& guard, int amount) {
  return guard
      .ask(asker(), GuardPoint::connector_egress, {{"arguments", JsonObject{{"amount", amount}}}})
      .decision;
}

LeafFacts leaf_of(const Decision& decision) {
  LeafFacts facts(LeafKind::effect_intent);
  facts.decisions.push_back(decision);
  return facts;
}

std::string input_in(const store::AuditLeaf& leaf) {
  const Json parsed = parse_json(leaf.bytes).value();
  const Json* input = at_pointer(parsed, "/decisions/0/input");
  return input == nullptr ? std::string() : std::string(view(input->get_string()));
}

}  // namespace

TEST_CASE("opening: a part opens with the leaf's salt and with its own, and with no other") {
  LeafFacts facts(LeafKind::event);
  facts.payload = "yes";
  facts.contents["request"] = R"({"method":"POST"})";
  const auto leaf = make_leaf(asker(), {}, facts);
  const Json parsed = parse_json(leaf.bytes).value();
  CHECK(parts_of(parsed) == std::vector<std::string>{"payload", "request"});
  CHECK(check_opening(parsed, "payload", leaf.salt, "yes").ok());
  CHECK(check_opening(parsed, "payload", part_salt(leaf.salt, "payload"), "yes").ok());
  CHECK(check_opening(parsed, "request", leaf.salt, facts.contents["request"]).ok());

  CHECK(check_opening(parsed, "payload", leaf.salt, "no").error().page() == 527);
  CHECK_FALSE(check_opening(parsed, "payload", std::string(16, 'x'), "yes").ok());
  CHECK_FALSE(check_opening(parsed, "payload", part_salt(leaf.salt, "request"), "yes").ok());
  CHECK_FALSE(check_opening(parsed, "payload", "", "yes").ok());
  CHECK(check_opening(parsed, "answer", leaf.salt, "yes").error().code() == Code::not_found);
}

TEST_CASE("opening: the same payload gives another commitment each time") {
  LeafFacts facts(LeafKind::event);
  facts.payload = "yes";
  CHECK(make_leaf(asker(), {}, facts).bytes != make_leaf(asker(), {}, facts).bytes);
}

TEST_CASE("opening: a policy input that can be guessed cannot be confirmed from the log") {
  Guard guard;
  REQUIRE(guard.load(default_tenant(), {{"egress.rego", refund_policy}}, Json()).ok());
  const Decision first = asked(guard, 40);
  const Decision again = asked(guard, 40);
  REQUIRE(guard.stats().cache_hits == 1);
  CHECK(first.input_digest == again.input_digest);
  const auto leaf = make_leaf(asker(), {}, leaf_of(first));
  const auto other = make_leaf(asker(), {}, leaf_of(again));
  REQUIRE(input_in(leaf).size() == 64);
  CHECK(input_in(leaf) != input_in(other));
  CHECK(input_in(make_leaf(asker(), {}, leaf_of(first))) != input_in(leaf));
  for (const auto& bytes : {leaf.bytes, other.bytes}) {
    for (int amount = 0; amount < 200; ++amount) {  // all that it could be
      const Decision guess = asked(guard, amount);
      CHECK(bytes.find(guess.input_digest) == std::string::npos);
      CHECK(bytes.find(to_hex(view(sha256(guess.id, *guess.input)))) == std::string::npos);
    }
  }
}

TEST_CASE("opening: a decision's input is kept for who is shown it, and opens that decision only") {
  Guard guard;
  REQUIRE(guard.load(default_tenant(), {{"egress.rego", refund_policy}}, Json()).ok());
  LeafFacts facts = leaf_of(asked(guard, 40));
  facts.decisions.push_back(asked(guard, 41));
  const auto leaf = make_leaf(asker(), {}, facts);
  const Json parsed = parse_json(leaf.bytes).value();
  const JsonObject opening = opening_json(leaf);
  std::string text;
  append_opening(leaf, &text);
  CHECK(text == to_text(Json(opening)));
  CHECK(view(opening.at("leaf").get_string()) == to_hex(view(leaf_hash(leaf.bytes))));
  CHECK(view(opening.at("salt").get_string()) == to_hex(leaf.salt));
  for (const Decision& decision : facts.decisions) {
    const auto kept = text_or(opening.at("contents"), decision.id, "");
    CHECK(kept == *decision.input);
    CHECK(check_opening(parsed, decision.id, leaf.salt, kept).ok());
  }
  const std::string one = part_salt(leaf.salt, facts.decisions[0].id);
  CHECK(check_opening(parsed, facts.decisions[0].id, one, *facts.decisions[0].input).ok());
  CHECK_FALSE(check_opening(parsed, facts.decisions[1].id, one, *facts.decisions[1].input).ok());
}

TEST_CASE("opening: long contents are committed to and not kept") {
  LeafFacts facts(LeafKind::event);
  facts.contents["request"] = std::string(5'000, 'x');
  const auto leaf = make_leaf(asker(), {}, facts);
  CHECK(leaf.contents.empty());
  CHECK(check_opening(parse_json(leaf.bytes).value(), "request", leaf.salt, std::string(5'000, 'x'))
            .ok());
}

TEST_CASE("opening: a leaf that commits to nothing has no salt") {
  LeafFacts facts(LeafKind::key);
  const auto leaf = make_leaf(asker(), {}, facts);
  CHECK(leaf.salt.empty());
  CHECK(parts_of(parse_json(leaf.bytes).value()).empty());
}

TEST_CASE("opening: leaves of version 1 are checked as they were made") {
  const std::string salt(16, 's');
  const Json leaf = JsonObject{
      {"v", 1},
      {"payload", to_hex(view(sha256(salt, "yes")))},
      {"decisions", {JsonObject{{"id", "dec_1"}, {"input", to_hex(view(sha256("{}")))}}}}};
  CHECK(parts_of(leaf) == std::vector<std::string>{"payload", "dec_1"});
  CHECK(check_opening(leaf, "payload", salt, "yes").ok());
  CHECK_FALSE(check_opening(leaf, "payload", std::string(16, 't'), "yes").ok());
  CHECK(check_opening(leaf, "dec_1", salt, "{}").ok());
}

// SPDX-License-Identifier: Apache-2.0
// A person's word on an incident goes through the guard, and where policy says so it waits for
// another's.
#include "govern/opening.h"
#include "review/review.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aios::workflow {
namespace {

using std::chrono::seconds;
using test::Behaviour;
using test::has;
using test::World;

constexpr std::string_view two_above_the_limit = R"(package aios.incident_settle
import rego.v1
default allow := true
deny contains "nobody says that of this one" if input.incident.word == "retry"
obligations contains {"type": "approve", "assignees": ["operator"]} if {
	input.incident.phase == "settle"
	input.incident.function == "system"
	input.incident.call.value > 1000
}
)";

Context person(const std::string& id, std::string role = "operator") {
  Context ctx = system_context(default_tenant(), "test");
  ctx.principal =
      std::make_shared<const Principal>(Principal{"key_" + id, "key", {std::move(role)}});
  return ctx;
}

/// A run whose call may have happened, under a policy.
struct Desk {
  explicit Desk(int value, std::string_view policy = two_above_the_limit) {
    REQUIRE(world.guard
                .load(default_tenant(), {{"policies/incidents.rego", std::string(policy)}},
                      JsonObject())
                .ok());
    world.with_reviews = true;
    world.add_document(
        fmt::format("document: {{dsl: '1.0.3', namespace: test, name: act, version: '1.0.0'}}\n"
                    "do:\n"
                    "  - act: {{call: 'system:1.0.0@default', with: {{class: none, value: {}}}}}\n",
                    value));
    world.start();
    world.system.script = {Behaviour::lose_reply};
    id = world.run_workflow("act", JsonObject());
    world.executor.advance(seconds(5));
    REQUIRE(world.view(id).waiting_for.starts_with("incident inc_"));
  }
  Result<void> say(const Context& ctx, std::string word, Json result = nullptr) {
    Resolution resolution{
        .incident = world.view(id).incident, .word = std::move(word), .result = std::move(result)};
    return world.executor.run(world.engine->resolve_incident(ctx, id, std::move(resolution)));
  }
  bool waits() { return !world.view(id).incident.empty(); }
  /// Of the newest leaf with that outcome.
  Json leaf(std::string_view outcome) {
    Json found;
    const auto leaves = world.executor.run(world.store->leaves(world.ctx(), 0, 100));
    REQUIRE(leaves.ok());
    for (const auto& text : *leaves) {
      auto json = parse_json(text);  // the tests' system writes others
      if (json.ok() && text_or(*json, "outcome", "") == outcome) {
        found = std::move(*json);
      }
    }
    return found;
  }
  World world;
  std::string id;
};

int page_of(const Result<void>& result) { return result.ok() ? 0 : result.error().page(); }

Json as_the_books_say() { return JsonObject{{"effect", "as the books say"}}; }

}  // namespace

TEST_CASE("second word: below the limit one person's word counts, and the guard was asked") {
  Desk desk(10);
  REQUIRE(desk.say(person("ann"), "happened", as_the_books_say()).ok());
  CHECK(desk.world.view(desk.id).status == "completed");
  const Json leaf = desk.leaf("resolved_happened");
  REQUIRE(find(leaf, "decisions") != nullptr);
  CHECK(text_or(leaf.at("decisions").at(0), "point", "") == "incident_settle");
  CHECK(find(leaf.at("facts"), "approved_by") == nullptr);
}

TEST_CASE("second word: what policy denies is refused with a leaf, and the run waits as before") {
  Desk desk(10);
  const auto refused = desk.say(person("ann"), "retry");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 501);
  CHECK(has(refused.error().text(), "nobody says that of this one"));
  CHECK(desk.waits());
  CHECK(desk.world.system.requests == 1);
  CHECK(text_or(desk.leaf("resolution_refused").at("facts"), "by", "") == "key_ann");
  CHECK(desk.say(person("ann"), "fail").ok());
}

TEST_CASE("second word: above the limit it waits for another person, also over a crash") {
  Desk desk(5'000);
  REQUIRE(desk.say(person("ann"), "happened", as_the_books_say()).ok());
  CHECK(desk.waits());
  CHECK(desk.leaf("resolved_happened").is_null());
  CHECK(text_or(desk.leaf("resolution_proposed").at("facts"), "by", "") == "key_ann");
  desk.world.crash();
  desk.world.start();
  CHECK(page_of(desk.say(person("ann"), "approve")) == 631);
  CHECK(page_of(desk.say(person("eve", "reviewer"), "approve")) == 631);
  CHECK(page_of(desk.say(person("bob"), "fail")) == 630);  // it is ann's word that waits
  CHECK(desk.waits());
  REQUIRE(desk.say(person("bob"), "approve").ok());
  CHECK(desk.world.view(desk.id).status == "completed");
  const Json leaf = desk.leaf("resolved_happened");
  CHECK(text_or(leaf.at("facts"), "by", "") == "key_ann");
  CHECK(text_or(leaf.at("facts"), "approved_by", "") == "key_bob");
  const auto parts = govern::parts_of(leaf);
  CHECK(std::find(parts.begin(), parts.end(), "result") != parts.end());
  CHECK(has(to_text(desk.world.view(desk.id).results), "as the books say"));
}

TEST_CASE("second word: another key of the same person is the same person") {
  Desk desk(5'000);
  desk.world.services.functions.reviews->know_holders(
      [](const TenantId&, const std::string& key) { return key == "key_bob" ? "Bob" : "Ann"; });
  REQUIRE(desk.say(person("ann"), "fail").ok());
  CHECK(page_of(desk.say(person("ann2"), "approve")) == 631);
  CHECK(page_of(desk.say(person("ann2"), "send_back")) == 631);
  CHECK(desk.say(person("bob"), "approve").ok());
  CHECK_FALSE(desk.waits());
}

TEST_CASE("second word: what is sent back can be said anew, and nothing is approved twice") {
  Desk desk(5'000);
  CHECK(page_of(desk.say(person("bob"), "approve")) == 630);
  REQUIRE(desk.say(person("ann"), "fail").ok());
  REQUIRE(desk.say(person("bob"), "send_back").ok());
  CHECK(desk.waits());
  CHECK(page_of(desk.say(person("bob"), "approve")) == 630);
  REQUIRE(desk.say(person("bob"), "happened", as_the_books_say()).ok());
  REQUIRE(desk.say(person("ann"), "approve").ok());
  CHECK(desk.world.view(desk.id).status == "completed");
}

TEST_CASE("second word: an obligation that nobody can carry out refuses") {
  for (const char* wrong : {R"({"type": "redact"})", R"({"type": "approve", "assignees": []})",
                            R"({"type": "approve", "assignees": ["king"]})"}) {
    CAPTURE(wrong);
    Desk desk(10, fmt::format("package aios.incident_settle\nimport rego.v1\n"
                              "default allow := true\nobligations contains {}\n",
                              wrong));
    CHECK(page_of(desk.say(person("ann"), "fail")) == 629);
    CHECK(desk.waits());
  }
}

TEST_CASE("second word: who waits to be approved is told of, with what to do") {
  Desk desk(5'000);
  REQUIRE(desk.say(person("ann"), "fail").ok());
  const auto text =
      desk.world.executor.run(desk.world.engine->explain(desk.world.ctx(), desk.id, Shown::clear));
  REQUIRE(text.ok());
  CHECK(has(*text, "key_ann said 'fail'"));
  CHECK(has(*text, fmt::format("aios runs resolve {} {} approve", desk.id,
                               desk.world.view(desk.id).incident)));
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
// What a run's audit leaves commit to is opened by what the run keeps sealed, and by nothing once
// its subject is erased.
#include "core/text.h"
#include "govern/merkle.h"
#include "govern/opening.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace aios::workflow {

void register_function_policy(FunctionRegistry& registry);

namespace {

constexpr const char* document = R"(
document: {dsl: '1.0.3', namespace: test, name: ask, version: '1.0.0'}
do:
  - look: {call: 'policy:1.0.0@default', with: {path: desk/limit, input: {mail: '${ .mail }'}}}
)";

constexpr const char* policy = R"(package desk
import rego.v1
limit := {"cents": 100} if input.mail
)";

struct Desk {
  Desk() {
    REQUIRE(world.guard.load(default_tenant(), {{"d.rego", policy}}, JsonObject()).ok());
    register_function_policy(world.registry);
    world.services.functions.guard = &world.guard;
    world.add_document(document);
    world.start();
  }
  std::string run(const std::string& subject) {
    StartRequest request;
    request.workflow = "ask";
    request.subject = subject;
    request.input = JsonObject{{"mail", "ann@example.org"}};
    auto id = world.executor.run(world.engine->start(world.ctx(), std::move(request)));
    REQUIRE(id.ok());
    CHECK(world.finish(*id).status == "completed");
    return *id;
  }
  std::vector<std::string> leaves() {
    return world.executor.run(world.store->leaves(world.ctx(), 0, 100)).value();
  }
  Json history(const std::string& id) {
    return world.executor.run(world.engine->history(world.ctx(), id)).value();
  }
  JsonArray openings(const std::string& id) {
    JsonArray found;
    const Json events = history(id);
    for (const Json& event : events.get_array()) {
      const Json* openings = at_pointer(event, "/data/openings");
      if (openings != nullptr) {
        found.insert(found.end(), openings->get_array().begin(), openings->get_array().end());
      }
    }
    return found;
  }
  test::World world;
};

Json leaf_of(const std::vector<std::string>& leaves, std::string_view hash) {
  for (const std::string& leaf : leaves) {
    if (to_hex(view(govern::leaf_hash(leaf))) == hash) {
      return parse_json(leaf).value();
    }
  }
  return nullptr;
}

}  // namespace

TEST_CASE("openings: a run keeps what opens its leaves, the policy's input and the output") {
  Desk desk;
  const auto id = desk.run("ann");
  const JsonArray openings = desk.openings(id);
  const auto leaves = desk.leaves();
  std::vector<std::string> opened;
  for (const Json& opening : openings) {
    const Json leaf = leaf_of(leaves, text_or(opening, "leaf", ""));
    REQUIRE(leaf.is_object());
    const std::string salt = from_hex(text_or(opening, "salt", "")).value();
    const std::string kind(text_or(leaf, "kind", ""));
    for (const std::string& part : govern::parts_of(leaf)) {
      const bool output = part == "payload";
      const Json* kept = at_pointer(opening, "/contents/" + part);
      REQUIRE(kept != nullptr);
      const std::string content(view(kept->get_string()));
      CHECK(govern::check_opening(leaf, part, salt, content).ok());
      CHECK(output == content.ends_with("100}"));
      opened.push_back(kind + " " + (output ? "output" : part == "ruling" ? part : "input"));
    }
  }
  CHECK(opened ==
        std::vector<std::string>{"policy_query ruling", "policy_query input", "run output"});
}

TEST_CASE("openings: a question without an answer leaves a leaf in which nobody decided") {
  Desk desk;
  StartRequest request;
  request.workflow = "ask";
  request.input = JsonObject{{"mail", false}};  // the rule is undefined for it
  auto id = desk.world.executor.run(desk.world.engine->start(desk.world.ctx(), std::move(request)));
  REQUIRE(id.ok());
  CHECK(desk.world.finish(*id).status == "faulted");
  const auto leaves = desk.leaves();
  const auto asked = std::find_if(leaves.begin(), leaves.end(), [](const std::string& leaf) {
    return leaf.find(R"("kind":"policy_query")") != std::string::npos;
  });
  REQUIRE(asked != leaves.end());
  CHECK(asked->find(R"("outcome":"failed")") != std::string::npos);
  CHECK(asked->find("decisions") == std::string::npos);
}

TEST_CASE("openings: the log alone tells neither the input nor that two are the same") {
  Desk desk;
  desk.run("ann");
  desk.run("ann");
  const std::string guess = R"({"mail":"ann@example.org"})";
  std::vector<std::string> inputs;
  for (const std::string& text : desk.leaves()) {
    CHECK(text.find(to_hex(view(sha256(guess)))) == std::string::npos);
    CHECK(text.find("example.org") == std::string::npos);
    const Json leaf = parse_json(text).value();
    if (const Json* input = at_pointer(leaf, "/decisions/0/input")) {
      inputs.emplace_back(view(input->get_string()));
    }
  }
  REQUIRE(inputs.size() == 2);
  CHECK(inputs[0] != inputs[1]);
}

TEST_CASE("openings: an erased subject's leaves stay in the log and nothing opens them") {
  Desk desk;
  const auto anns = desk.run("ann");
  const auto bobs = desk.run("bob");
  const auto before = desk.leaves();
  REQUIRE(desk.openings(anns).size() == 2);
  REQUIRE(desk.world.executor.run(desk.world.store->erase_subject(desk.world.ctx(), "ann")).ok());
  CHECK(desk.openings(anns).empty());
  CHECK(to_text(desk.history(anns)).find("salt") == std::string::npos);
  CHECK(desk.openings(bobs).size() == 2);
  CHECK(desk.leaves() == before);
}

}  // namespace aios::workflow

// SPDX-License-Identifier: Apache-2.0
// Time limits and calls whose outcome nobody knows: no run ends over one before a person was asked.
#include "workflow/test/limited.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <utility>

namespace aios::workflow {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::Behaviour;
using test::calling;
using test::has;
using test::Limited;

std::string one_call(std::string_view effect) { return "  - pay: {" + calling(effect) + "}\n"; }

std::string caught_call(std::string_view effect) {
  return fmt::format(
      "  - careful:\n"
      "      try:\n"
      "        - pay: {{timeout: {{after: PT3S}}, {}}}\n"
      "      catch:\n"
      "        do:\n"
      "          - unpaid: {{set: {{paid: false}}}}\n",
      calling(effect));
}

}  // namespace

TEST_CASE(
    "open effects: a deadline over an unknown outcome waits for a person, then ends the run") {
  for (const auto* effect : {"key", "lookup", "none"}) {
    for (const std::string word : {"happened", "retry", "fail"}) {
      CAPTURE(effect);
      CAPTURE(word);
      Limited limited("timeout: {after: PT4S}\n", one_call(effect));
      const auto id = limited.go();
      limited.world.executor.advance(minutes(2));
      auto view = limited.world.view(id);
      CHECK(view.status == "waiting");
      CHECK(view.waiting_for.starts_with("incident inc_"));
      CHECK(limited.outbox().empty());
      const auto sent = limited.world.system.requests;
      limited.resolve(word, JsonObject{{"effect", "it is there"}});
      view = limited.world.view(id);
      CHECK(view.status == "faulted");
      CHECK(limited.world.system.requests == sent);
      CHECK(has(limited.outbox(), "aios.task.faulted"));
      const bool told = has(limited.outbox(), R"("open_effects":[{"step":"/do/0/pay")");
      CHECK(told == (word == "fail"));
      const bool learned = has(to_text(view.results), "it is there");
      CHECK(learned == (word == "happened"));
    }
  }
}

TEST_CASE("open effects: a caught timeout completes no run over an unknown outcome, also crashed") {
  for (const bool crash : {false, true}) {
    CAPTURE(crash);
    Limited limited("", caught_call("key"));
    const auto id = limited.go();
    limited.world.executor.advance(minutes(2));
    if (crash) {
      limited.world.crash();
      limited.world.start();
      limited.world.executor.advance(minutes(2));
    }
    auto view = limited.world.view(id);
    CHECK(view.waiting_for.starts_with("incident inc_"));
    auto text = limited.world.executor.run(limited.world.engine->explain(limited.world.ctx(), id));
    REQUIRE(text.ok());
    CHECK(has(*text, "then: it ends as completed"));
    CHECK(has(*text, R"("value":7)"));
    const auto sent = limited.world.system.requests;
    limited.resolve("retry");
    view = limited.world.view(id);
    CHECK(view.status == "completed");
    CHECK(has(to_text(view.output), R"("paid":false)"));
    CHECK_FALSE(has(limited.outbox(), "open_effects"));
    CHECK(limited.world.system.requests == sent);
  }
}

TEST_CASE("open effects: a process that ends with the call under way forgets it to no deadline") {
  Limited limited("timeout: {after: PT4S}\n", one_call("key"));
  limited.world.system.chooser = [] { return Behaviour::hang; };
  const auto id = limited.go();
  limited.world.executor.advance(milliseconds(50));
  limited.world.crash();
  limited.world.executor.advance(minutes(1));
  limited.world.start();
  limited.world.executor.advance(minutes(1));
  CHECK(limited.world.view(id).waiting_for.starts_with("incident inc_"));
}

TEST_CASE("open effects: what a branch gave up holds up the run that waits for the branch") {
  std::string branch = caught_call("key");
  std::string indented;
  for (std::size_t at = 0; at < branch.size();) {
    const auto end = branch.find('\n', at) + 1;
    indented += "            " + branch.substr(at, end - at);
    at = end;
  }
  Limited limited("",
                  "  - both:\n      fork:\n        branches:\n          - left:\n"
                  "              do:\n" +
                      indented);
  const auto id = limited.go();
  limited.world.executor.advance(minutes(5));
  CHECK(limited.world.view(id).waiting_for.starts_with("incident inc_"));
  limited.resolve("retry");
  CHECK(limited.world.finish(id).status == "completed");
}

TEST_CASE("open effects: a run that was cancelled later than its step was given up asks as well") {
  Limited limited("", caught_call("key") + "  - rest: {wait: PT1H}\n");
  const auto id = limited.go();
  limited.world.executor.advance(minutes(2));
  CHECK(limited.world.view(id).waiting_for.starts_with("timer"));
  CHECK(limited.world.executor.run(limited.world.engine->cancel(limited.world.ctx(), id, "stop"))
            .ok());
  CHECK(limited.world.view(id).waiting_for.starts_with("incident inc_"));
  CHECK(limited.world.executor.run(limited.world.engine->cancel(limited.world.ctx(), id, "stop"))
            .ok());
  limited.resolve("happened", JsonObject{{"effect", "x"}});
  CHECK(limited.world.view(id).status == "cancelled");
}

}  // namespace aios::workflow

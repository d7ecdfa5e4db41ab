// SPDX-License-Identifier: Apache-2.0
// A call whose outcome nobody knows keeps its key, whoever tries it again: the document's own
// retry, the retry of a run and of what it forked, and however large the run has grown.
#include "workflow/test/limited.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>

namespace aios::workflow {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using test::Behaviour;
using test::calling;
using test::has;
using test::Limited;
using test::World;

std::string in_try(std::string_view effect, std::string_view caught) {
  return fmt::format(
      "  - careful:\n"
      "      try:\n"
      "        - pay: {{{}}}\n"
      "      catch:\n"
      "        {}\n",
      calling(effect), caught);
}

constexpr std::string_view try_again = "retry: {delay: PT1S, limit: {attempt: {count: 3}}}";

/// Goes on until a person is asked, of another incident than the last one.
std::string asked(Limited& limited, const std::string& id, const std::string& last = "") {
  limited.world.executor.advance(hours(30));
  const auto incident = limited.world.view(id).incident;
  REQUIRE_FALSE(incident.empty());
  REQUIRE(incident != last);
  return incident;
}

void answers_again(Limited& limited) {
  limited.world.system.lookup_fails = false;
  limited.world.system.chooser = [] { return Behaviour::answer; };
}

/// The effects that happened outside: each should be there once.
int times_done(const World& world) {
  int out = 0;
  for (const auto& [effect, times] : world.system.done) {
    out += times;
  }
  return out;
}

/// A fork whose branch `pay` is cut by its own time while nobody knows what its call did.
constexpr std::string_view two_branches = R"(  - both:
      fork:
        branches:
          - pay:
              timeout: {after: PT3S}
              call: system:1.0.0@default
              with: {class: key, value: 7}
          - rest: {wait: PT1H}
)";

Result<void> retry(Limited& limited, const std::string& id) {
  return limited.world.executor.run(
      limited.world.engine->retry(limited.world.ctx(), id, RetryWith::same_definition));
}

}  // namespace

TEST_CASE("open effects: the document's retry after a person's `fail` makes the same call again") {
  for (const std::string_view effect : {"key", "lookup"}) {
    CAPTURE(effect);
    Limited limited("", in_try(effect, try_again));
    const auto id = limited.go();
    asked(limited, id);
    answers_again(limited);
    const auto sent = limited.world.system.requests;
    limited.resolve("fail");
    CHECK(limited.world.finish(id).status == "completed");
    CHECK(limited.world.system.done.size() == 1);
    CHECK(times_done(limited.world) == 1);
    CHECK(limited.world.system.requests == sent + (effect == "key" ? 1 : 0));
    CHECK_FALSE(has(limited.outbox(), "open_effects"));
  }
}

TEST_CASE("open effects: of class none it is a person who is asked again, and nothing is sent") {
  Limited limited("", in_try("none", try_again));
  const auto id = limited.go();
  const auto first = asked(limited, id);
  limited.resolve("fail");
  asked(limited, id, first);
  CHECK(limited.world.system.requests == 1);
  CHECK(limited.world.system.done.size() == 1);
  limited.resolve("happened", JsonObject{{"paid", true}});
  CHECK(limited.world.finish(id).status == "completed");
  CHECK(limited.world.system.requests == 1);
}

TEST_CASE("open effects: a document that catches a person's `fail` ends with the call named") {
  Limited limited("", in_try("none", "do: [{unpaid: {set: {paid: false}}}]"));
  const auto id = limited.go();
  asked(limited, id);
  limited.resolve("fail");
  CHECK(limited.world.finish(id).status == "completed");
  CHECK(has(limited.outbox(), R"("open_effects":[{"step":"/do/0/careful/try/0/pay")"));
}

TEST_CASE("open effects: a cancelled run's callback names the call that nobody knows of") {
  for (const std::string word : {"fail", "happened", "retry"}) {
    CAPTURE(word);
    Limited limited("", "  - pay: {" + calling("none") + "}\n");
    const auto id = limited.go();
    asked(limited, id);
    REQUIRE(limited.world.executor.run(limited.world.engine->cancel(limited.world.ctx(), id, "x"))
                .ok());
    limited.resolve(word, JsonObject{{"paid", true}});
    CHECK(limited.world.view(id).status == "cancelled");
    CHECK(has(limited.outbox(), "open_effects") == (word == "fail"));
  }
}

TEST_CASE("open effects: what a person found to have happened is not done again by a retry") {
  for (const std::string_view effect : {"key", "lookup", "none"}) {
    CAPTURE(effect);
    Limited limited("timeout: {after: PT4S}\n",
                    "  - pay: {" + calling(effect) + "}\n  - tell: {set: {got: '${ .paid }'}}\n");
    const auto id = limited.go();
    asked(limited, id);
    limited.resolve("happened", JsonObject{{"paid", "yes"}});
    REQUIRE(limited.world.view(id).status == "faulted");
    answers_again(limited);
    const auto sent = limited.world.system.requests;
    REQUIRE(retry(limited, id).ok());
    const auto view = limited.world.finish(id);
    CHECK(view.status == "completed");
    CHECK(to_text(view.output) == R"({"got":"yes"})");
    CHECK(limited.world.system.requests == sent);
    CHECK(limited.world.system.done.size() == 1);
  }
}

TEST_CASE("open effects: a branch that is tried again leaves those of its sibling alone") {
  Limited limited("", two_branches);
  const auto id = limited.go();
  asked(limited, id);
  limited.resolve("fail");
  REQUIRE(limited.world.view(id).status == "faulted");
  const auto sent = limited.world.system.requests;
  REQUIRE(retry(limited, id).ok());
  limited.world.executor.advance(minutes(5));  // sent again, and cut by its time again
  CHECK(limited.world.system.requests > sent);
  CHECK(limited.world.system.done.size() == 1);
  CHECK(limited.world.view(id).waiting_for.starts_with("incident inc_"));  // of the new try
  limited.resolve("fail");
  CHECK(limited.world.view(id).status == "faulted");
  CHECK(has(limited.outbox(), R"("effect":"run_0-1-1")"));
}

TEST_CASE("open effects: in a fork within a fork a retried branch keeps the key of its call") {
  std::string nested =
      "  - outer:\n      fork:\n        branches:\n          - middle:\n"
      "              do:\n";
  const std::string inner(two_branches);
  for (std::size_t at = 0; at < inner.size();) {
    const auto end = inner.find('\n', at) + 1;
    nested += "              " + inner.substr(at, end - at);
    at = end;
  }
  Limited limited("", nested);
  const auto id = limited.go();
  for (int tries = 0; tries < 3; ++tries) {
    CAPTURE(tries);
    asked(limited, id);
    limited.resolve("fail");
    REQUIRE(limited.world.view(id).status == "faulted");
    REQUIRE(retry(limited, id).ok());
  }
  asked(limited, id);
  CHECK(limited.world.system.done.size() == 1);
  limited.resolve("happened", JsonObject{{"paid", true}});
  CHECK(limited.world.view(id).status == "faulted");
}

TEST_CASE("open effects: what a person said at the fork's end holds for the branch that made it") {
  for (const std::string word : {"happened", "retry"}) {
    CAPTURE(word);
    Limited limited("", two_branches);
    const auto id = limited.go();
    asked(limited, id);
    limited.resolve(word, JsonObject{{"paid", true}});
    REQUIRE(limited.world.view(id).status == "faulted");
    answers_again(limited);
    const auto sent = limited.world.system.requests;
    REQUIRE(retry(limited, id).ok());
    CHECK(limited.world.finish(id, hours(2)).status == "completed");
    CHECK(limited.world.system.requests == sent + (word == "happened" ? 0 : 1));
    CHECK_FALSE(has(limited.outbox(), "open_effects"));
  }
}

TEST_CASE("open effects: a branch that was cut at its incident is tried again with that settled") {
  for (const std::string word : {"happened", "retry", "fail"}) {
    CAPTURE(word);
    Limited limited("", R"(  - both:
      fork:
        branches:
          - pay: {call: 'system:1.0.0@default', with: {class: none, value: 7}}
          - bad:
              do:
                - rest: {wait: PT5S}
                - fails: {raise: {error: {type: 'https://example.com/x', status: 400, title: x}}}
)");
    auto& world = limited.world;
    const auto id = limited.go();
    const auto branch = id + "-1";
    world.executor.advance(minutes(5));  // the fork was given up, and waits for its branch
    const Resolution said{world.view(branch).incident, word, JsonObject{{"paid", true}}};
    REQUIRE(world.executor.run(world.engine->resolve_incident(world.ctx(), branch, said)).ok());
    CHECK(world.finish(id).status == "faulted");
    CHECK(world.view(branch).status == "cancelled");
    answers_again(limited);
    REQUIRE(retry(limited, id).ok());
    world.executor.advance(minutes(5));
    CHECK(world.system.requests == (word == "retry" ? 2 : 1));
    if (word != "retry") {  // else its sibling's fault may come before its answer
      CHECK(world.view(branch).status == (word == "fail" ? "waiting" : "completed"));
    }
  }
}

TEST_CASE("open effects: a run that grew too large still asks what became of its call") {
  for (const std::string word : {"happened", "fail"}) {
    CAPTURE(word);
    Limited limited("", R"(  - careful:
      try:
        - pay:
            timeout: {after: PT3S}
            call: system:1.0.0@default
            with: {class: key, value: '${ "b" * 300000 }'}
      catch:
        do: [{unpaid: {set: {paid: false}}}]
  - grow: {set: {text: '${ "a" * 3500000 }'}}
  - rest: {wait: PT1S}
)");
    const auto id = limited.go();
    limited.world.executor.advance(minutes(5));
    auto view = limited.world.view(id);
    CHECK(view.waiting_for.starts_with("incident inc_"));
    const auto text =
        limited.world.executor.run(limited.world.engine->explain(limited.world.ctx(), id));
    REQUIRE(text.ok());
    CHECK(has(*text, "then: it ends as faulted"));
    CHECK(has(*text, "with what is not kept"));
    CHECK(has(*text, "effect run_0-1"));
    limited.world.crash();
    limited.world.start();
    limited.resolve(word, JsonObject{{"paid", true}});
    view = limited.world.view(id);
    CHECK(view.status == "faulted");
    CHECK(has(to_text(view.error), "AIOS-1032"));
    const bool told = has(limited.outbox(), R"("open_effects":[{"step":"/do/0/careful/try/0/pay")");
    CHECK(told == (word == "fail"));
  }
}

}  // namespace aios::workflow

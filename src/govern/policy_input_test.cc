// SPDX-License-Identifier: Apache-2.0
#include "govern/policy_input.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace aios::govern {
namespace {

JsonObject facts(std::string_view text) { return parse_json(text)->get_object(); }

std::string problem(GuardPoint point, std::string_view text) {
  const auto fits = check_input(point, facts(text));
  return fits.ok() ? "" : fits.error().text();
}

TEST_CASE("policy input: each point's members are named once, under a member that holds members") {
  for (const GuardPoint point : guard_points) {
    std::set<std::string> seen;
    std::set<std::string> holders;
    CHECK_FALSE(input_of(point).empty());
    for (const auto& rows : {common_input(), input_of(point), run_input()}) {
      for (const InputMember& row : rows) {
        CAPTURE(row.path);
        CHECK(seen.insert(std::string(row.path)).second);
        CHECK(row.meaning.ends_with('.'));
        const auto dot = row.path.rfind('.');
        CHECK((dot == std::string_view::npos ||
               holders.contains(std::string(row.path.substr(0, dot)))));
        if (row.type.starts_with("object")) {
          holders.insert(std::string(row.path));
        } else if (row.type == "list") {
          holders.insert(std::string(row.path) + "[]");
        }
      }
    }
  }
  CHECK(input_of(GuardPoint::question).empty());
}

TEST_CASE("policy input: facts with exactly the members that are declared fit") {
  CHECK(problem(GuardPoint::event_admit,
                R"({"event": {"type": "t", "source": "s", "subject": "", "via": "",
                    "size_bytes": 3}})") == "");
  CHECK(problem(GuardPoint::post_model_call, R"({"run": {},
    "model": {"alias": "a", "name": "n", "version": 1, "provider": "p", "region": "local"},
    "result": {"label": "x", "confidence": 0.5}})") == "");
}

TEST_CASE("policy input: a member that is missing, unknown or of another type is named") {
  const std::string said = problem(GuardPoint::event_admit,
                                   R"({"event": {"type": 1, "source": "s", "size_bytes": 3,
                                       "colour": "red"}, "more": {}})");
  CHECK(said.find("'event.type' is number, wanted text") != std::string::npos);
  CHECK(said.find("'event.subject' is missing") != std::string::npos);
  CHECK(said.find("'event.colour' is not known") != std::string::npos);
  CHECK(said.find("'more' is not known") != std::string::npos);
}

TEST_CASE("policy input: a run that asks has all of its memory, each entry with its members") {
  const std::string said = check_run(facts(R"({"workflow": "a/b", "id": "run_1", "step": "/do/0/x",
        "inferences": [{"label": "x"}], "retrievals": [],
        "results": [{"connector": "c", "too_large": true}], "reviews": ["y"]})"))
                               .error()
                               .text();
  CHECK(said.find("'run.results_forgotten' is missing") != std::string::npos);
  CHECK(said.find("'run.inferences[].alias' is missing") != std::string::npos);
  CHECK(said.find("an entry of 'run.reviews' is string") != std::string::npos);
  CHECK(said.find("run.results[]") == std::string::npos);
}

}  // namespace
}  // namespace aios::govern

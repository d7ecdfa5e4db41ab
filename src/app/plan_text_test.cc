// SPDX-License-Identifier: Apache-2.0
#include "app/plan_text.h"

#include "core/text.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::app {
namespace {

std::string lines_of(std::string_view plan) { return join(plan_lines(*parse_json(plan)), "\n"); }

TEST_CASE("plan text: parts that come, go and change have a sign, and both versions where known") {
  CHECK(lines_of(R"j({"changes": [
    {"change": "add", "part": "form", "name": "forms/a.json"},
    {"change": "remove", "part": "workflow", "name": "a/b", "from": "1.0.0"},
    {"change": "change", "part": "workflow", "name": "a/c", "from": "1.0.0 (3f2a)",
     "to": "1.1.0 (b1c2)", "note": "new runs take it"}]})j") ==
        "+ form forms/a.json\n"
        "- workflow a/b 1.0.0\n"
        "~ workflow a/c 1.0.0 (3f2a) -> 1.1.0 (b1c2): new runs take it");
}

TEST_CASE("plan text: a parameter shows its values, and one that is long is cut") {
  CHECK(lines_of(R"({"parameters": [
    {"name": "limit", "from": 100, "to": 80}, {"name": "new", "from": null, "to": "x"},
    {"name": "old", "from": [1], "to": null}]})") ==
        "~ parameter limit: 100 -> 80\n"
        "+ parameter new: \"x\"\n"
        "- parameter old: [1]");
  const Json plan = JsonObject{
      {"parameters",
       JsonArray{JsonObject{{"name", "p"}, {"from", nullptr}, {"to", std::string(5'000, 'x')}}}}};
  CHECK(plan_lines(plan).front().size() < 300);
}

TEST_CASE("plan text: runs under way keep their version, one or many or more than were counted") {
  CHECK(lines_of(R"({"runs": [
    {"workflow": "a/b", "version": "1.0.0", "count": 1},
    {"workflow": "a/c", "version": "2.0.0", "count": 500, "more": true}]})") ==
        "= 1 run of a/b under way keeps version 1.0.0\n"
        "= 500 or more runs of a/c under way keep version 2.0.0");
}

TEST_CASE("plan text: a plan without a list, or with none of that name, has no line") {
  CHECK(plan_lines(*parse_json(R"({"changes": [], "runs": "none"})")).empty());
  CHECK(plan_lines(JsonObject()).empty());
}

}  // namespace
}  // namespace aios::app

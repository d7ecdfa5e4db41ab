// SPDX-License-Identifier: Apache-2.0
#include "bundle/plan.h"

#include "bundle/test/checking.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace aios::bundle {
namespace {

std::string workflow(std::string_view name, std::string_view version, std::string_view value) {
  return "document: {dsl: 1.0.3, namespace: t, name: " + std::string(name) +
         ", version: " + std::string(version) +
         "}\nschedule: {on: {one: {with: {type: " + std::string(name) +
         "}}}}\ndo: [{a: {set: {x: " + std::string(value) + "}}}]\n";
}

Files files(const std::string& parameters = "") {
  Files out = {{"aios.yaml", "name: app\nversion: 1.0.0\n" + parameters},
               {"workflows/a.yaml", workflow("a", "1.0.0", "1")},
               {"forms/f.json", R"({"type": "object"})"}};
  test::allow_all(&out);
  return out;
}

Bundle bundle(Files given) {
  auto checked = test::check(std::move(given));
  for (const Error& error : checked.errors) {
    FAIL(error.text());
  }
  return *std::move(checked.bundle);
}

/// "~workflow t/a 1.0.0 1.1.0"; of what is shown the digests are cut off.
std::vector<std::string> lines(const std::vector<PartChange>& changes) {
  std::vector<std::string> out;
  for (const PartChange& one : changes) {
    const char sign = one.what == PartChange::What::add      ? '+'
                      : one.what == PartChange::What::remove ? '-'
                                                             : '~';
    std::string line = sign + one.part + " " + one.name;
    if (one.part == "workflow" || one.part == "connector") {
      line +=
          " " + one.from.substr(0, one.from.find(" (")) + " " + one.to.substr(0, one.to.find(" ("));
    }
    out.push_back(line);
  }
  return out;
}

using Lines = std::vector<std::string>;

TEST_CASE("plan: the same files change nothing, and a first deployment adds everything") {
  const Bundle one = bundle(files());
  CHECK(part_changes(&one, bundle(files())).empty());
  const auto first = lines(part_changes(nullptr, one));
  CHECK(first.size() == one.files.size());
  CHECK(first.front() == "+workflow t/a  1.0.0");
  CHECK(std::all_of(first.begin(), first.end(),
                    [](const std::string& line) { return line.front() == '+'; }));
}

TEST_CASE("plan: parts are added, changed and removed by their names") {
  const Bundle before = bundle(files());
  Files next = files();
  next.erase("forms/f.json");
  next["forms/g.json"] = R"({"type": "object"})";
  next["policies/event_admit.rego"] += "# another\n";
  next["policies/event_admit_test.rego"] = "package x_test\nimport rego.v1\ntest_a if true\n";
  CHECK(lines(part_changes(&before, bundle(next))) ==
        Lines{"-form forms/f.json", "+form forms/g.json", "~policy policies/event_admit.rego",
              "+policy test policies/event_admit_test.rego"});
}

TEST_CASE("plan: a workflow's version that comes and one that goes are one change") {
  const Bundle before = bundle(files());
  Files next = files();
  next["workflows/a.yaml"] = workflow("a", "1.1.0", "2");
  next["workflows/b.yaml"] = workflow("b", "1.0.0", "1");
  const auto changes = part_changes(&before, bundle(next));
  CHECK(lines(changes) == Lines{"~workflow t/a 1.0.0 1.1.0", "+workflow t/b  1.0.0"});
  CHECK(workflows_touched(changes) == std::vector<std::string>{"t/a"});
  CHECK(changes.front().note.empty());

  Files renamed = files();
  renamed["workflows/other.yaml"] = renamed.extract("workflows/a.yaml").mapped();
  CHECK(part_changes(&before, bundle(renamed)).empty());  // the file's name is no part of it
}

TEST_CASE("plan: another text under the same version is told of") {
  const Bundle before = bundle(files());
  Files next = files();
  next["workflows/a.yaml"] = workflow("a", "1.0.0", "2");
  const auto changes = part_changes(&before, bundle(next));
  REQUIRE(lines(changes) == Lines{"~workflow t/a 1.0.0 1.0.0"});
  CHECK(changes.front().from != changes.front().to);
  CHECK(changes.front().note.find("raise document.version") != std::string::npos);
}

TEST_CASE("plan: a connector changes with the address that a parameter gives it") {
  const auto with = [](const std::string& url) {
    Files out = files("parameters: {url: {type: string, default: '" + url + "'}}\n");
    out["connectors/desk/connector.yaml"] =
        "name: desk\nkind: http\nregion: eu\nbaseUrl: \"${params.url}/v1\"\noperations:\n"
        "  look: {method: GET, path: /a, effect: read}\n";
    return out;
  };
  const Bundle before = bundle(with("http://a.test"));
  CHECK(lines(part_changes(&before, bundle(with("http://b.test")))) ==
        Lines{"~connector desk http://a.test/v1 http://b.test/v1", "~file aios.yaml"});
}

TEST_CASE("plan: what is named like a secret is not shown, at any depth") {
  const Json hidden = "(not shown)";
  CHECK(shown_parameter("helpdesk_url", "http://a") == Json("http://a"));
  CHECK(shown_parameter("limit", 5) == Json(5));
  CHECK(shown_parameter("apiToken", "x") == hidden);
  CHECK(shown_parameter("db_PASSWORD", 5) == hidden);
  CHECK(shown_parameter("url", "https://ann:pw@host/a") == hidden);
  CHECK(shown_parameter("url", "https://host/a@b") == Json("https://host/a@b"));
  const Json nested = *parse_json(R"({"a": [{"secret": "x", "b": "y"}]})");
  CHECK(to_text(shown_parameter("floors", nested)) ==
        "{\"a\":[{\"secret\":\"(not shown)\",\"b\":\"y\"}]}");
  const Json floors = *parse_json(R"({"password_reset": 0.8, "password": 8})");
  CHECK(to_text(shown_parameter("floors", floors)) ==
        "{\"password_reset\":0.8,\"password\":\"(not shown)\"}");
  CHECK(shown_parameter("token", nullptr) == Json(nullptr));  // not declared is no secret

  Plan plan;
  plan.parameters.push_back({"token", "old", "new"});
  const std::string text = to_text(plan.to_json());
  CHECK(text.find("old") == std::string::npos);
  CHECK(text.find("new") == std::string::npos);
}

}  // namespace
}  // namespace aios::bundle

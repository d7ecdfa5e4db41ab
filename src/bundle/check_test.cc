// SPDX-License-Identifier: Apache-2.0
#include "bundle/bundle.h"
#include "bundle/test/checking.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace aios::bundle {
namespace {

constexpr const char* connector = R"(name: desk
kind: http
region: eu
baseUrl: "http://127.0.0.1:1"
auth:
  bearer:
    secret: desk-token
operations:
  tell: {method: POST, path: /notices, effect: none, body: ., resultSchema: {}}
)";
constexpr const char* flow = R"(document: {dsl: 1.0.3, namespace: t, name: flow, version: 1.0.0}
do:
  - tell:
      call: connector:1.0.0@default
      with:
        connector: desk
        operation: tell
  - ask:
      call: review:1.0.0@default
      with:
        title: What?
        form: question
        evidence: {}
        assignees: [reviewer]
)";

Files good() {
  Files files = {{"aios.yaml", "name: app\nversion: 1.0.0\nneeds:\n  secrets: [desk-token]\n"},
                 {"workflows/flow.yaml", flow},
                 {"connectors/desk/connector.yaml", connector},
                 {"forms/question.json", R"({"type": "object"})"}};
  test::allow_all(&files);
  return files;
}

/// "file:line:column page", in their order.
std::vector<std::string> places(const std::vector<Error>& errors) {
  std::vector<std::string> out;
  for (const Error& error : errors) {
    out.push_back(error.file() + ":" + std::to_string(error.line()) + ":" +
                  std::to_string(error.column()) + " " + std::to_string(error.page()));
  }
  return out;
}

using Places = std::vector<std::string>;
using test::check;

TEST_CASE("check: a good bundle has neither errors nor warnings") {
  const auto checked = check(good());
  CHECK(places(checked.errors).empty());
  CHECK(places(checked.warnings).empty());
}

TEST_CASE("check: a secret that a connector takes must be listed") {
  Files files = good();
  files["aios.yaml"] = "name: app\nversion: 1.0.0\nneeds:\n  secrets:\n    - desk-tokn\n";
  const auto checked = check(files);
  CHECK(places(checked.errors) == Places{"connectors/desk/connector.yaml:7:13 1112"});
  CHECK(checked.errors[0].message().find("did you mean 'desk-tokn'") != std::string::npos);
  CHECK(places(checked.warnings) == Places{"aios.yaml:5:7 1112"});
}

TEST_CASE("check: what a bundle needs is spelt right, or told with the nearest right word") {
  Files files = good();
  files["aios.yaml"] = "name: app\nversion: 1.0.0\nneeds:\n  secrets: [desk-token]\n  egres: []\n";
  const auto misspelt = check(files);
  CHECK(places(misspelt.errors) == Places{"aios.yaml:5:10 1101"});
  CHECK(misspelt.errors[0].message().find("did you mean 'egress'") != std::string::npos);

  files["aios.yaml"] = "name: app\nversion: 1.0.0\nneeds: [desk-token]\n";
  const auto list = check(files);
  CHECK(places(list.errors)[0] == "aios.yaml:3:8 1101");
}

TEST_CASE("check: a secret that signs for a subscription must be listed, and is used then") {
  Files files = good();
  files["subscriptions/shop.yaml"] =
      "name: shop\nregion: eu\nurl: https://shop.example/in\ntypes: [\"*\"]\nsecret: shop-key\n";
  CHECK(places(check(files).errors) == Places{"subscriptions/shop.yaml:5:9 1112"});
  files["aios.yaml"] = "name: app\nversion: 1.0.0\nneeds:\n  secrets: [desk-token, shop-key]\n";
  const auto listed = check(files);
  CHECK(places(listed.errors).empty());
  CHECK(places(listed.warnings).empty());
}

TEST_CASE("check: a bundle without policies or workflows is warned of") {
  const auto checked = check(
      {{"aios.yaml", "name: app\nversion: 1.0.0\n"}, {"workflows/a.yml", "nobody reads this"}});
  CHECK(checked.errors.empty());
  CHECK(places(checked.warnings) ==
        Places{"aios.yaml:1:1 1113", "aios.yaml:1:1 1113", "workflows/a.yml:1:1 1113"});
}

TEST_CASE("check: an unreadable connector or form is one error, not one more a step") {
  Files files = good();
  files["connectors/desk/connector.yaml"] = "name: [\n";
  files["forms/question.json"] = "{";
  const auto checked = check(files);
  REQUIRE(checked.errors.size() == 2);
  for (const Error& error : checked.errors) {
    CHECK(error.file() != "workflows/flow.yaml");
  }
  CHECK(places(checked.warnings).empty());
}

TEST_CASE("check: a rule that no policy has is an error, an alias that no model has a warning") {
  Files files = good();
  files["workflows/flow.yaml"] = R"(document: {dsl: 1.0.3, namespace: t, name: flow, version: 1.0.0}
do:
  - ask:
      call: policy:1.0.0@default
      with:
        path: aios/event_admit/alow
  - known:
      call: policy:1.0.0@default
      with:
        path: aios/event_admit/allow
  - think:
      call: infer:1.0.0@default
      with:
        model: intent
        input: {text: x}
)";
  const auto checked = check(files);
  CHECK(places(checked.errors) == Places{"workflows/flow.yaml:6:15 1104"});
  CHECK(places(checked.warnings) == Places{"workflows/flow.yaml:14:16 1104"});
}

}  // namespace
}  // namespace aios::bundle

// SPDX-License-Identifier: Apache-2.0
#include "bundle/bundle.h"
#include "bundle/test/checking.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::bundle {
namespace {

constexpr const char* flow = R"(document: {dsl: 1.0.3, namespace: t, name: flow, version: 1.0.0}
schedule:
  on:
    one:
      with: {type: order.v1}
do:
  - tell:
      emit: {event: {with: {type: told.v1, source: /t}}}
)";

Files with_source(const std::string& kind, const std::string& event) {
  Files files = {{"aios.yaml", "name: app\nversion: 1.0.0\n"}, {"workflows/flow.yaml", flow}};
  test::allow_all(&files);
  files["sources/one.yaml"] = "kind: " + kind + "\nname: one\nevery: PT5M\nevent:\n" + event + "\n";
  return files;
}

std::vector<std::string> told(Files files) {
  return test::texts(test::check(std::move(files)).warnings);
}

bool has(const std::vector<std::string>& texts, std::string_view part) {
  return texts.size() == 1 && texts[0].find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("triggers: a source whose type no workflow takes is told of, with the nearest") {
  CHECK(told(with_source("schedule", "  type: order.v1")).empty());
  const auto near = told(with_source("schedule", "  type: ordr.v1"));
  CHECK(has(near, "sources/one.yaml:5:9: no workflow begins with"));
  CHECK(has(near, "did you mean 'order.v1'?"));
  CHECK(has(told(with_source("webhook", "  type: told.v1")), "'told.v1'"));  // only emitted
  CHECK(told(with_source("schedule", "  type: '${ .schedule }'")).empty());
}

TEST_CASE("triggers: a schedule that policy denies each time is told of, what may vary is not") {
  const auto deny = [](Files files) {
    files["policies/event_admit.rego"] =
        "package aios.event_admit\nimport rego.v1\ndefault allow := false\n"
        "allow if startswith(input.event.source, \"/web\")\n";
    return told(std::move(files));
  };
  CHECK(has(deny(with_source("schedule", "  type: order.v1")), "policy denies the events"));
  CHECK(deny(with_source("schedule", "  type: order.v1\n  source: /web/x")).empty());
  CHECK(deny(with_source("schedule", "  type: order.v1\n  source: '${ .schedule }'")).empty());
  CHECK(deny(with_source("webhook", "  type: order.v1")).empty());
}

TEST_CASE("triggers: policy is asked about a schedule as it will be: with the name it comes by") {
  const auto warned = [](const std::string& rule) {
    auto files = with_source("schedule", "  type: order.v1");
    files["policies/event_admit.rego"] = "package aios.event_admit\nimport rego.v1\n" + rule + "\n";
    return told(std::move(files));
  };
  CHECK(warned("default allow := false\nallow if input.event.via == \"one\"").empty());
  CHECK(has(warned("default allow := true\ndeny contains \"no\" if input.event.via == \"one\""),
            "policy denies the events"));
}

}  // namespace aios::bundle

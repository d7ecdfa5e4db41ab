// SPDX-License-Identifier: Apache-2.0
// `needs.egress` of aios.yaml and the calls of a bundle's workflows.
#include "bundle/plan.h"
#include "bundle/test/checking.h"
#include "core/text.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::bundle {
namespace {

using test::check;
using test::texts;

Files with(std::string_view needs, std::string_view call) {
  Files files = {
      {"aios.yaml", fmt::format("name: app\nversion: 1.0.0\nparameters:\n  port: {{type: "
                                "integer, default: 81}}\nneeds:\n{}",
                                needs)},
      {"workflows/flow.yaml",
       fmt::format("document: {{dsl: 1.0.3, namespace: t, name: flow, version: "
                   "1.0.0}}\nuse: {{secrets: [api-token]}}\ndo:\n  - ask:\n      call: "
                   "http\n      with: {}\n",
                   call)}};
  test::allow_all(&files);
  return files;
}

std::string errors_of(std::string_view needs, std::string_view call) {
  return join(texts(check(with(needs, call)).errors), "\n");
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

constexpr std::string_view token = "  secrets: [api-token]\n";

}  // namespace

TEST_CASE("egress: a call to an origin that is declared is good, with and without names in it") {
  const auto checked = check(with(fmt::format("{}  egress:\n    - HTTPS://Api.Example:443\n    - "
                                              "{{origin: 'http://10.0.0.1:${{params.port}}', "
                                              "region: eu, private: true, timeout: PT2S}}\n",
                                              token),
                                  "{method: get, endpoint: 'https://api.example/{id}'}"));
  CHECK(texts(checked.errors).empty());
  REQUIRE(checked.bundle);
  REQUIRE(checked.bundle->egress.size() == 2);
  CHECK(checked.bundle->egress[0].origin == "https://api.example");
  CHECK_FALSE(checked.bundle->egress[0].private_allowed);
  CHECK(checked.bundle->egress[1].origin == "http://10.0.0.1:81");
  CHECK(checked.bundle->egress[1].private_allowed);
  CHECK(checked.bundle->egress[1].timeout == std::chrono::seconds(2));
  REQUIRE(checked.warnings.size() == 1);  // nobody goes to the second
  CHECK(has(checked.warnings.front().text(), "no 'call: http' goes to 'http://10.0.0.1:81'"));
}

TEST_CASE("egress: a call elsewhere is an error at its endpoint that names the nearest") {
  const auto errors = errors_of(fmt::format("{}  egress: ['https://api.example']\n", token),
                                "{method: get, endpoint: 'https://api.exampel/a'}");
  CHECK(has(errors, "workflows/flow.yaml:6:"));
  CHECK(has(errors, "did you mean 'https://api.example'"));
  CHECK(has(errors, "AIOS-1062"));
  const auto nothing = errors_of(token, "{method: get, endpoint: {uri: '${ .where }'}}");
  CHECK(has(nothing, "lets it go nowhere"));
  CHECK(errors_of(fmt::format("{}  egress: ['https://api.example']\n", token),
                  "{method: get, endpoint: '${ .where }'}")
            .empty());
}

TEST_CASE("egress: an entry that is no origin, private without a word or twice is an error") {
  const auto error_of = [](std::string_view entry) {
    return errors_of(
        fmt::format("{}  egress:\n    - https://api.example\n    - {}\n", token, entry),
        "{method: get, endpoint: 'https://api.example/a'}");
  };
  for (const char* entry :
       {"https://b.example/path", "ftp://b.example", "b.example", "7", "http://127.0.0.1:1",
        "http://localhost", "https://API.example", "{origin: 'https://b.example', timeout: soon}",
        "{origin: 'https://b.example', region: ''}", "{region: eu}",
        "{origin: 'https://b.example', priavte: true}", "'https://${params.absent}'"}) {
    CAPTURE(entry);
    const auto errors = error_of(entry);
    CHECK(has(errors, "aios.yaml:9:"));
    CHECK(has(errors, "AIOS-1060"));
  }
  CHECK(has(error_of("http://169.254.169.254"), "private: true"));
}

TEST_CASE("egress: a secret that a workflow lists must be among the needs") {
  const auto errors = errors_of("  egress: ['https://api.example']\n",
                                "{method: get, endpoint: 'https://api.example/a'}");
  CHECK(has(errors, "workflows/flow.yaml:2:"));
  CHECK(has(errors, "AIOS-1112"));
}

TEST_CASE("egress: without a policy for it the check warns at the call") {
  auto files = with(fmt::format("{}  egress: ['https://api.example']\n", token),
                    "{method: get, endpoint: 'https://api.example/a'}");
  files.erase("policies/connector_egress.rego");
  CHECK(has(join(texts(check(files).warnings), "\n"), "no policy can allow this call"));
}

TEST_CASE("egress: a plan lists where calls may go from now on") {
  const auto call = "{method: get, endpoint: '${ .where }'}";
  const auto before = check(with(fmt::format("{}  egress: ['https://a.example']\n", token), call));
  const auto after = check(
      with(fmt::format(
               "{}  egress: [{{origin: 'https://a.example', region: eu}}, 'https://b.example']\n",
               token),
           call));
  REQUIRE(before.bundle);
  REQUIRE(after.bundle);
  std::vector<std::string> lines;
  for (const auto& change : part_changes(&*before.bundle, *after.bundle)) {
    if (change.part == "egress") {
      lines.push_back(fmt::format("{} {} -> {}", change.name, change.from, change.to));
    }
  }
  CHECK(lines ==
        std::vector<std::string>{"https://a.example (region unknown, 10 s) -> (region eu, 10 s)",
                                 "https://b.example  -> (region unknown, 10 s)"});
}

}  // namespace aios::bundle

// SPDX-License-Identifier: Apache-2.0
#include "scenario/scenario.h"

#include "core/test/folder.h"
#include "runtime/sim.h"
#include "scenario/detail/compare.h"
#include "scenario/detail/outside.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace aios::scenario {
namespace {

constexpr const char* flow = R"(document: {dsl: '1.0.3', namespace: t, name: flow, version: '1.0.0'}
schedule: {on: {one: {with: {type: t.asked}}}}
do:
  - classify:
      call: infer:1.0.0@default
      with: {model: intent, input: {text: hello}}
      export: {as: '${ {label: .label} }'}
  - look:
      call: connector:1.0.0@default
      with: {connector: desk, operation: find}
      export: {as: '${ $context + {id: .id} }'}
  - ask:
      call: review:1.0.0@default
      with: {title: What, form: question, evidence: {}, assignees: [reviewer]}
      export: {as: '${ $context + {answer: .answer} }'}
  - finish:
      set: '${ $context }'
)";

bundle::Files good() {
  return {
      {"aios.yaml", "name: app\nversion: 1.0.0\n"},
      {"workflows/flow.yaml", flow},
      {"policies/admit.rego",
       "package aios.event_admit\nimport rego.v1\ndefault allow := false\n"
       "allow if input.event.type != \"t.bad\"\ndeny contains \"not today\" if input.event.type == "
       "\"t.bad\"\n"},
      {"policies/model.rego",
       "package aios.pre_model_call\nimport rego.v1\ndefault allow := true\n"},
      {"policies/answer.rego",
       "package aios.post_model_call\nimport rego.v1\ndefault allow := true\n"},
      {"policies/egress.rego",
       "package aios.connector_egress\nimport rego.v1\ndefault allow := true\n"},
      {"policies/review.rego",
       "package aios.review_assign\nimport rego.v1\ndefault allow := true\n"},
      {"connectors/desk/connector.yaml",
       "name: desk\nkind: http\nregion: eu\nbaseUrl: \"http://127.0.0.1:1\"\noperations:\n"
       "  find: {method: GET, path: /found, effect: read, result: .body}\n"},
      {"forms/question.json", R"({"type": "object"})"}};
}

ReadScenarios read(const std::string& text) { return read_scenarios({{"tests/a.yaml", text}}); }

/// Of the only scenario of a text.
Verdict verdict_of(const std::string& text) {
  auto scenarios = read(text);
  for (const Error& error : scenarios.errors) {
    FAIL_CHECK(error.text());
  }
  REQUIRE(scenarios.scenarios.size() == 1);
  bundle::Learnt learnt;
  auto verdict = run_scenario(scenarios.scenarios.front(), good(), {}, &learnt);
  INFO((verdict.ok() ? "" : verdict.error().text()));
  REQUIRE(verdict.ok());
  return *std::move(verdict);
}

/// "line:column message"
std::string first(const std::vector<Error>& errors) {
  REQUIRE(!errors.empty());
  return fmt::format("{}:{} {}", errors.front().line(), errors.front().column(),
                     errors.front().message());
}

constexpr std::string_view whole = R"(scenarios:
  - name: all of it
    event: {type: t.asked}
    models: {intent: {label: yes, confidence: 0.9}}
    systems:
      GET /found: {status: 200, body: {id: 7}}
    people: [{answer: {colour: red}}]
    expect:
      status: completed
      output: {label: yes, id: 7, answer: {colour: red}}
      requests: [GET /found]
      questions: [{title: What}]
      leaves: [event, model_call, effect_outcome, review, run]
)";

std::string with(std::string_view old_text, std::string_view new_text) {
  std::string text(whole);
  const std::size_t at = text.find(old_text);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old_text.size(), new_text);
}

}  // namespace

TEST_CASE("scenario: what happens as it is expected holds") {
  const Verdict verdict = verdict_of(std::string(whole));
  for (const Error& failure : verdict.failures) {
    FAIL_CHECK(failure.text());
  }
  CHECK(verdict.found.at("output").at("id") == 7);
}

TEST_CASE("scenario: each expectation that is broken is named with its place") {
  struct Broken {
    std::string_view old_text, new_text, wanted;
  };
  const std::vector<Broken> all = {
      {"status: completed", "status: faulted", "9:15 status is \"completed\", wanted \"faulted\""},
      {"id: 7, answer", "id: 8, answer", "10:32 output.id is 7, wanted 8"},
      {"requests: [GET /found]", "requests: []", "11:17 requests is [\"GET /found\"], wanted []"},
      {"{title: What}", "{title: Why}", "12:27 questions.0.title is \"What\", wanted \"Why\""},
  };
  for (const Broken& one : all) {
    CAPTURE(one.new_text);
    CHECK(first(verdict_of(with(one.old_text, one.new_text)).failures) == one.wanted);
  }
  const auto leaves = verdict_of(with("[event, model_call", "[model_call, event")).failures;
  CHECK(first(leaves).starts_with("13:28 no leaf \"event\" in this place"));
}

TEST_CASE("scenario: what was asked and has no answer fails it, naming the nearest answer") {
  const auto system = verdict_of(with("GET /found:", "GET /fount:")).failures;
  CHECK(first(system) ==
        "2:5 'GET /found' was asked, and 'systems' has no answer to it; did you "
        "mean 'GET /fount'?");
  const auto model = verdict_of(with("{intent: {label", "{intend: {label")).failures;
  CHECK(first(model).find("model 'intent' was asked") != std::string::npos);
}

TEST_CASE("scenario: an answer says what the request said, of its body first, else of its query") {
  const Json told = *parse_json(R"({"POST /a?n=1&m=2": {"body":
      {"n": "${request.n}", "in": [{"m": "${request.m}"}], "no": "${request.no}", "x": "$x"}}})");
  Unscripted unscripted;
  ScriptedSystems systems(&told, &unscripted);
  runtime::SimExecutor executor(1);
  net::ClientRequest request;
  request.method = "POST";
  request.url = "http://h:1/a?n=1&m=2";
  request.body = R"({"n": 7})";
  auto answered =
      executor.run(systems.send(system_context(default_tenant(), "test"), std::move(request)));
  REQUIRE(answered.ok());
  CHECK(*parse_json(answered->body) ==
        *parse_json(R"({"n": 7, "in": [{"m": "2"}], "no": null, "x": "$x"})"));
  CHECK(unscripted.empty());
}

TEST_CASE("scenario: a question that nobody answers leaves the run waiting") {
  const Verdict verdict = verdict_of(with("    people: [{answer: {colour: red}}]\n", ""));
  CHECK(verdict.found.at("status") == "waiting");
  CHECK(first(verdict.failures) == "8:15 status is \"waiting\", wanted \"completed\"");
}

TEST_CASE("scenario: an answer that is refused fails it at its place") {
  const auto failures =
      verdict_of(with("{answer: {colour: red}}", "{answer: {colour: red}, roles: [auditor]}"))
          .failures;
  REQUIRE(!failures.empty());
  CHECK(failures.front().line() == 7);
}

TEST_CASE("scenario: an event that is none fails it at its place") {
  const auto failures = verdict_of(with("{type: t.asked}", "{type: t.asked, id: ''}")).failures;
  REQUIRE(failures.size() == 1);
  CHECK(failures.front().line() == 3);
  CHECK(failures.front().page() == 1700);
}

TEST_CASE("scenario: where nothing is said of the event, it must have been accepted") {
  const std::string head = "scenarios:\n  - name: n\n    event: {type: ";
  CHECK(verdict_of(head + "t.bad}\n    expect: {requests: []}\n").failures.size() == 1);
  CHECK(verdict_of(head + "t.slip}\n    expect: {leaves: []}\n").failures.size() == 1);
}

TEST_CASE("scenario: events that are refused or that nothing takes start no run") {
  const std::string head = "scenarios:\n  - name: n\n    event: {type: ";
  CHECK(verdict_of(head + "t.bad}\n    expect: {event: refused, reason: not today}\n")
            .failures.empty());
  CHECK(verdict_of(head + "t.other}\n    expect: {event: dead_letter}\n").failures.empty());
  const auto failures =
      verdict_of(head + "t.bad}\n    expect: {event: accepted, status: completed}\n").failures;
  REQUIRE(failures.size() == 2);
  CHECK(failures.back().message() == "there is no 'status': the event was refused");
}

TEST_CASE("scenario: a file that is not as it should be gives every problem with its place") {
  const auto errors = [](const std::string& text) { return read(text).errors; };
  CHECK(first(errors(with("confidence: 0.9", "confidence: 9"))).starts_with("4:"));
  CHECK(first(errors(with("status: completed", "state: completed"))).find("state") !=
        std::string::npos);
  CHECK(first(errors(with("people:", "within: soon\n    people:"))).starts_with("7:13"));
  CHECK(first(errors("scenarios: []\n")).starts_with("1:"));
  CHECK(first(errors("scenarios: [\n")).find("AIOS") == std::string::npos);
  CHECK(errors(with("label: yes", "lable: yes")).front().page() == 1700);
}

TEST_CASE("scenario: the articles of a bundle are learnt once for all its scenarios") {
  auto scenarios = read(std::string(whole));
  auto files = good();
  files["knowledge/refund.md"] = "---\ntitle: Refunds\n---\nThe money comes back to your card.\n";
  files["knowledge/parcel.md"] = "---\ntitle: Parcels\n---\nTrack the parcel by its number.\n";
  bundle::Learnt learnt;
  const auto play = [&] {
    REQUIRE(run_scenario(scenarios.scenarios.front(), files, {}, &learnt).ok());
    return learnt.learnt_count();
  };
  CHECK(play() == 0);  // no step asks them
  files["workflows/flow.yaml"] +=
      "  - find: {call: 'retrieve:1.0.0@default', with: {query: hello}}\n";
  CHECK(play() == 1);
  CHECK(play() == 1);
  files["knowledge/parcel.md"] += "Parcels come by post.\n";
  CHECK(play() == 2);
}

TEST_CASE("scenario: a bundle that cannot be deployed says why") {
  auto scenarios = read(std::string(whole));
  auto files = good();
  files.erase("forms/question.json");
  files.erase("connectors/desk/connector.yaml");
  bundle::Learnt learnt;
  const auto verdict = run_scenario(scenarios.scenarios.front(), files, {}, &learnt);
  REQUIRE(verdict.ok());
  REQUIRE(verdict->failures.size() == 2);  // all of them
  CHECK(verdict->found.is_null());
}

TEST_CASE("scenario: files are read from the folder tests of a bundle") {
  const aios::test::Folder folder;
  CHECK(read_scenario_files(folder.at("."))->empty());
  std::filesystem::create_directory(folder.at("tests"));
  std::ofstream(folder.at("tests/a.yaml")) << whole;
  std::ofstream(folder.at("tests/a.py")) << "print()\n";
  CHECK(read_scenario_files(folder.at("."))->size() == 1);
  std::ofstream(folder.at("tests/b.yaml")) << std::string(2'000'000, ' ');
  const auto failed = read_scenario_files(folder.at("."));
  REQUIRE(!failed.ok());
  CHECK(failed.error().page() == 1702);
  std::filesystem::remove(folder.at("tests/b.yaml"));
  REQUIRE(::mkfifo(folder.at("tests/b.yaml").c_str(), 0600) == 0);  // nobody ever writes it
  const auto fifo = read_scenario_files(folder.at("."));
  REQUIRE(!fifo.ok());
  CHECK(fifo.error().page() == 1702);
}

TEST_CASE("scenario: members may be more than expected, lists may not") {
  const auto count = [](const char* expected, const char* found) {
    return differences(*parse_json(expected), *parse_json(found)).size();
  };
  CHECK(count(R"({"a": 1})", R"({"a": 1.0, "b": 2})") == 0);
  CHECK(count(R"({"a": 1, "c": null})", R"({"a": 2})") == 2);
  CHECK(count(R"([{"a": 1}])", R"([{"a": 1, "b": 2}])") == 0);
  CHECK(count("[1]", "[1, 2]") == 1);
  CHECK(count(R"({"a": {}})", R"({"a": []})") == 1);
}

TEST_CASE("scenario: HTTP calls of two hosts with one path are answered by their whole URLs") {
  bundle::Files files = good();
  files.erase("connectors/desk/connector.yaml");
  files["aios.yaml"] =
      "name: app\nversion: 1.0.0\nneeds: {egress: ['https://a.example', 'https://b.example']}\n";
  files["workflows/flow.yaml"] =
      R"(document: {dsl: '1.0.3', namespace: t, name: flow, version: 1.0.0}
schedule: {on: {one: {with: {type: t.asked}}}}
do:
  - first:
      call: http
      with: {method: GET, endpoint: 'https://a.example/x'}
      export: {as: '${ {a: .n} }'}
  - second:
      call: http
      with: {method: GET, endpoint: 'https://b.example/x'}
      output: {as: '${ {a: $context.a, b: .n} }'}
)";
  const auto scenarios = read(R"(scenarios:
  - name: both
    event: {type: t.asked}
    systems:
      GET https://a.example/x: [{status: 503}, {refused: true}, {body: {n: 1}}]
      GET /x: {body: {n: 2}}
    expect:
      output: {a: 1, b: 2}
      requests:
        - GET https://a.example/x
        - GET https://a.example/x
        - GET https://a.example/x
        - GET /x
)");
  REQUIRE(scenarios.errors.empty());
  bundle::Learnt learnt;
  const auto verdict = run_scenario(scenarios.scenarios.front(), files, {}, &learnt);
  REQUIRE(verdict.ok());
  for (const Error& failure : verdict->failures) {
    FAIL_CHECK(failure.text());
  }
}

TEST_CASE("scenario: a star stands for any characters, the exact name goes first") {
  const Json told = *parse_json(R"({"GET /a/*": 1, "GET /a/b": [2, 3], "*x*y": 4})");
  Script script(&told);
  CHECK(script.next("GET /a/c").name == "GET /a/*");
  CHECK(*script.next("GET /a/b").answer == 2);
  CHECK(*script.next("GET /a/b").answer == 3);
  CHECK(*script.next("GET /a/b").answer == 3);
  CHECK(*script.next("POST x and y").answer == 4);
  CHECK(script.next("POST y and x").answer == nullptr);
}

}  // namespace aios::scenario

// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/loader.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

namespace aios::workflow {
namespace {

using test::has;
using test::head_text;

std::vector<Error> check(const std::string& text) {
  test::OutsideSystem system;
  FunctionRegistry registry;
  test::register_system(registry, system);
  return Engine::check({{"w.yaml", text}}, registry);
}

std::string all(const std::vector<Error>& errors) {
  std::string out;
  for (const auto& error : errors) {
    out += error.text() + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("loader: a function that is called by its bare name is told in full") {
  for (const char* call : {"system", "sistem", "system:1.0.0", "system@default"}) {
    const auto text = all(check(std::string(head_text) + "do:\n  - a:\n      call: " + call +
                                "\n      with: {class: key}\n"));
    CAPTURE(text);
    CHECK(has(text, "did you mean 'system:1.0.0@default'?"));
  }
}

TEST_CASE("loader: all errors are reported at once, each with its line") {
  const auto errors = check(std::string(head_text) + R"(do:
  - first:
      sett: {a: 1}
  - second:
      set: {a: '${ .b + }'}
      then: firs
  - third:
      call: sistem:1.0.0@default
      with: {class: key}
  - fourth:
      run: {shell: {command: ls}}
)");
  const auto text = all(errors);
  CAPTURE(text);
  CHECK(errors.size() == 5);
  CHECK(has(text, "w.yaml:8:"));
  CHECK(has(text, "did you mean 'set'"));
  CHECK(has(text, "w.yaml:10:"));
  CHECK(has(text, "did you mean 'first'"));
  CHECK(has(text, "did you mean 'system:1.0.0@default'"));
  CHECK(has(text, "'run.shell' is not supported"));
}

TEST_CASE("loader: a call of a protocol is refused and names the connector") {
  const auto text = all(check(std::string(head_text) + R"(do:
  - get:
      call: http
      with: {method: get}
)"));
  CAPTURE(text);
  CHECK(has(text, "connector:1.0.0@default"));
  CHECK(has(text, "AIOS-1002"));
}

TEST_CASE("loader: arguments are checked against the function's schema") {
  const auto text = all(check(std::string(head_text) + R"(do:
  - get:
      call: system:1.0.0@default
      with: {class: key, amount: 3}
)"));
  CAPTURE(text);
  CHECK(has(text, "AIOS-1006"));
}

TEST_CASE("loader: secrets are not readable, and an argument without a value here is an error") {
  const auto text = all(check(std::string(head_text) + R"(do:
  - a:
      set: {x: '${ $secrets.token }'}
  - b:
      if: $input.x
      set: {x: 1}
)"));
  CAPTURE(text);
  CHECK(has(text, "$secrets"));
  CHECK(has(text, "$input"));
}

TEST_CASE("loader: a name used by then must stand in the same list") {
  const auto text = all(check(std::string(head_text) + R"(do:
  - a:
      do:
        - inner:
            set: {x: 1}
            then: b
  - b:
      set: {x: 1}
)"));
  CHECK(has(text, "AIOS-1004"));
}

TEST_CASE("loader: references to use are resolved, wrong ones name what there is") {
  CHECK(all(check(std::string(head_text) + R"(use:
  errors:
    broken: {type: 'https://x/y', status: 500}
  retries:
    thrice: {delay: PT1S, limit: {attempt: {count: 3}}}
  timeouts:
    short: {after: PT1S}
  functions:
    ask: {call: 'system:1.0.0@default', with: {class: key, value: '${ .v }'}}
do:
  - a:
      timeout: short
      try:
        - b: {raise: {error: broken}}
        - c: {call: ask, with: {v: 3}}
      catch: {retry: thrice}
)"))
            .empty());
  const auto text = all(check(std::string(head_text) + R"(use:
  retries:
    thrice: {delay: PT1S}
do:
  - a:
      try:
        - b: {raise: {error: nothing}}
      catch: {retry: trice}
)"));
  CHECK(has(text, "did you mean 'thrice'"));
  CHECK(has(text, "use.errors"));
}

TEST_CASE("loader: the head is checked") {
  const auto text = all(check(R"(document: {dsl: 2.0.0, namespace: a b, name: '', version: '1'}
schedule: {every: PT1S}
do: []
)"));
  CAPTURE(text);
  CHECK(has(text, "/dsl") == false);
  CHECK(has(text, "2.0.0"));
  CHECK(has(text, "'a b'"));
  CHECK(has(text, "schedule.every"));
}

TEST_CASE("loader: triggers are the event types of schedule.on") {
  test::OutsideSystem system;
  FunctionRegistry registry;
  test::register_system(registry, system);
  std::vector<Error> errors;
  const DefinitionFile file{"w.yaml", std::string(head_text) + R"(schedule:
  on:
    any:
      - with: {type: a.b.v1}
      - with: {type: c.d.v1}
do:
  - a: {set: {x: 1}}
)"};
  const auto definition = load_definition(file, registry, &errors);
  CAPTURE(all(errors));
  REQUIRE(definition);
  CHECK(definition->info.trigger_types == std::vector<std::string>{"a.b.v1", "c.d.v1"});
}

}  // namespace aios::workflow

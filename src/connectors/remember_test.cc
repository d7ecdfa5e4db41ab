// SPDX-License-Identifier: Apache-2.0
// What an operation says is to be remembered of its results goes into the run's memory, where no
// document can change it.
#include "connectors/test/bench.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::connectors {
namespace {

using test::Bench;

std::string manifest() {
  return R"(name: desk
kind: http
region: eu
baseUrl: http://desk.example:8080
operations:
  find:
    method: GET
    path: /orders
    effect: read
    result: .body
    remember: '{id, cents: (.cents | if type == "number" then . else error("no amount") end)}'
    absent: [404]
  open:
    method: POST
    path: /cases
    effect: lookup
    body: .
    result: .body.id
    resultSchema: {type: integer}
    remember: '{case: ., asked: $arguments.text}'
    lookup: {method: GET, path: "/cases?reference={effect_id}", found: '.body.cases[0].id'}
)";
}

TEST_CASE("connectors: what is to be remembered is made of the result") {
  Bench bench(manifest());
  bench.client.answer(200, R"({"id": "ORD-1", "cents": 5, "name": "Ann"})");
  const auto found = bench.perform(bench.call("find", {}));
  CHECK(found.outcome == Outcome::done);
  CHECK(to_text(found.remembered) == R"({"id":"ORD-1","cents":5})");
  bench.client.answer(201, R"({"id": 7})");
  const auto opened = bench.perform(bench.call("open", {{"text", "hi"}}));
  CHECK(to_text(opened.remembered) == R"({"case":7,"asked":"hi"})");
}

TEST_CASE("connectors: a look-up remembers like the attempt it stands for") {
  Bench bench(manifest());
  bench.client.answer(200, R"({"cases": [{"id": 8}]})");
  const auto found = bench.lookup(bench.call("open", {{"text", "hi"}}));
  CHECK(to_text(found.remembered) == R"({"case":8,"asked":"hi"})");
  bench.client.answer(200, R"({"cases": []})");
  CHECK(bench.lookup(bench.call("open", {})).remembered.is_null());
}

TEST_CASE("connectors: an answer that lacks what is to be remembered is no success") {
  Bench bench(manifest());
  bench.client.answer(200, R"({"id": "ORD-1"})");
  const auto found = bench.perform(bench.call("find", {}));
  CHECK(found.outcome == Outcome::failed);
  CHECK(found.error->page() == 905);
  CHECK(found.remembered.is_null());
}

TEST_CASE("connectors: an answer that lacks what is to be remembered opens no breaker for others") {
  Bench bench(manifest());
  for (int i = 0; i < 20; ++i) {
    bench.client.answer(200, R"({"id": "ORD-1"})");
    CHECK(bench.perform(bench.call("find", {})).error->page() == 905);
  }
  CHECK(bench.connectors.list(default_tenant()).front().breaker == "closed");
}

TEST_CASE("connectors: of a result that a person gives the same is remembered") {
  Bench bench(manifest());
  const auto kept =
      bench.connectors.recall(default_tenant(), bench.call("open", {{"text", "hi"}}), Json(9));
  REQUIRE(kept.ok());
  CHECK(to_text(*kept) == R"({"case":9,"asked":"hi"})");
  const auto lacks =
      bench.connectors.recall(default_tenant(), bench.call("find", {}), JsonObject());
  REQUIRE_FALSE(lacks.ok());
  CHECK(lacks.error().page() == 905);
}

TEST_CASE("connectors: of what is not there nothing is remembered") {
  Bench bench(manifest());
  bench.client.answer(404, "{}");
  const auto found = bench.perform(bench.call("find", {}));
  CHECK(found.outcome == Outcome::done);
  CHECK(found.remembered.is_null());
}

TEST_CASE("connectors: an expression to remember by that does not compile is told with its place") {
  std::string text = manifest();
  text.replace(text.find("{case: ."), 8, "{case: .)");
  const auto errors =
      Connectors::check({{"connectors/desk/connector.yaml", text}}, Json(JsonObject()));
  REQUIRE(!errors.empty());
  CHECK(errors.front().line() == 20);
}

}  // namespace
}  // namespace aios::connectors

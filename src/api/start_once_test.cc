// SPDX-License-Identifier: Apache-2.0
// A caller who lost the answer of a start asks again: with a key there is one run.
#include "api/test/house.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::api {
namespace {

using test::House;

constexpr const char* flow =
    "document: {dsl: '1.0.3', namespace: t, name: echo, version: '1.0.0'}\n"
    "do:\n  - said: {set: {word: '${ .word }'}}\n";

net::Response start(House& house, const std::string& key, const std::string& word) {
  net::Headers headers;
  headers.add("Idempotency-Key", key);
  return house.send(House::system(), "POST", "/api/v1/runs",
                    R"({"workflow": "echo", "input": {"word": ")" + word + R"("}})", headers);
}

std::string id_of(const net::Response& response) {
  return std::string(text_or(parse_json(response.body).value(), "id", ""));
}

std::int64_t runs(House& house) { return int_or(house.get("/api/v1/run-counts"), "completed", -1); }

}  // namespace

TEST_CASE("api: a start with the same key and body is one run, and answers with its id") {
  House house;
  REQUIRE(house.engine->install(default_tenant(), {{"echo.yaml", flow}}).empty());
  const auto first = start(house, "k-1", "mine");
  CHECK(first.status == 201);
  const auto second = start(house, "k-1", "mine");
  CHECK(second.status == 200);
  CHECK(id_of(second) == id_of(first));
  CHECK(runs(house) == 1);
  CHECK(start(house, "k-2", "mine").status == 201);
  CHECK(runs(house) == 2);
}

TEST_CASE("api: a start with the same key and another body is refused") {
  House house;
  REQUIRE(house.engine->install(default_tenant(), {{"echo.yaml", flow}}).empty());
  REQUIRE(start(house, "k-1", "mine").status == 201);
  const auto other = start(house, "k-1", "yours");
  CHECK(other.status == 409);
  CHECK(other.body.find("AIOS-1305") != std::string::npos);
  CHECK(runs(house) == 1);
}

TEST_CASE("api: a key that is none is refused before anything starts") {
  House house;
  REQUIRE(house.engine->install(default_tenant(), {{"echo.yaml", flow}}).empty());
  CHECK(start(house, "", "mine").status == 400);
  CHECK(start(house, std::string(256, 'k'), "mine").status == 400);
  CHECK(runs(house) == 0);
}

TEST_CASE("api: a repetition is answered when the workflow is there no more") {
  House house;
  REQUIRE(house.engine->install(default_tenant(), {{"echo.yaml", flow}}).empty());
  const auto first = start(house, "k-1", "mine");
  REQUIRE(house.engine->install(default_tenant(), {}).empty());
  CHECK(start(house, "k-2", "mine").status == 404);
  const auto again = start(house, "k-1", "mine");
  CHECK(again.status == 200);
  CHECK(id_of(again) == id_of(first));
}

TEST_CASE("api: the document tells of the key") {
  House house;
  const auto start_run = openapi_document(house.router).at("paths").at("/api/v1/runs").at("post");
  CHECK(start_run.at("parameters").at(0).at("in") == "header");
}

}  // namespace aios::api

// SPDX-License-Identifier: Apache-2.0
// Lists come page by page: nothing twice, nothing left out, and only what the caller may see.
#include "api/test/house.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace aios::api {
namespace {

using test::House;

constexpr const char* workflow_text =
    R"(document: {dsl: '1.0.1', namespace: test, name: NAME, version: '1.0.0'}
do:
  - keep: {set: {seen: '${ .word }'}}
)";

void install(House& house) {
  std::vector<workflow::DefinitionFile> files;
  for (const char* name : {"echo", "other"}) {
    std::string text = workflow_text;
    text.replace(text.find("NAME"), 4, name);
    files.push_back({std::string(name) + ".yaml", text});
  }
  REQUIRE(house.engine->install(default_tenant(), files).empty());
}

std::string start(House& house, const std::string& workflow) {
  house.loop.advance(std::chrono::milliseconds(5));  // ids follow the clock
  const auto answer =
      house.send(House::system(), "POST", "/api/v1/runs",
                 R"({"workflow": ")" + workflow + R"(", "input": {"word": "mine"}})");
  CAPTURE(answer.body);
  REQUIRE(answer.status == 201);
  return std::string(text_or(parse_json(answer.body).value(), "id", ""));
}

std::string ask(House& house, const std::string& dataset, const std::string& subject,
                std::optional<Duration> due = std::nullopt) {
  house.loop.advance(std::chrono::milliseconds(5));
  review::ReviewRequest request;
  request.title = "Which?";
  request.form = "form";
  request.form_schema =
      parse_json(R"({"type": "object", "properties": {"label": {"type": "string"}}})").value();
  request.evidence = JsonObject{{"text", "where is it"}};
  request.assignees = {"reviewer"};
  request.dataset = dataset;
  request.subject = subject;
  request.due = due;
  request.run_id = "run_1";
  request.step = "/do/0/ask";
  auto opened = house.loop.run(house.reviews->open(House::system(), request, {}));
  CAPTURE(opened.ok() ? "" : opened.error().text());
  REQUIRE(opened.ok());
  store::Transition transition;
  transition.tenant = default_tenant();
  transition.epoch = house.store->epoch();
  transition.streams.push_back(std::move(opened->write));
  transition.leaves.push_back(std::move(opened->leaf));
  const auto written = transition.streams;
  REQUIRE(house.loop.run(house.store->commit(House::system(), std::move(transition))).ok());
  house.reviews->saved(default_tenant(), written);
  return opened->id;
}

void answer(House& house, const std::string& review) {
  review::Said said;
  said.answer = JsonObject{{"label", "here"}};
  auto answered = house.loop.run(
      house.reviews->prepare(House::with_roles({"reviewer"}), review, std::move(said), {}));
  REQUIRE(answered.ok());
  store::Transition transition;
  transition.tenant = default_tenant();
  transition.epoch = house.store->epoch();
  transition.streams = std::move(answered->writes);
  transition.leaves.push_back(std::move(answered->leaf));
  const auto written = transition.streams;
  REQUIRE(house.loop.run(house.store->commit(House::system(), std::move(transition))).ok());
  house.reviews->saved(default_tenant(), written);
}

TEST_CASE("api: runs come in order, whatever the size of a page") {
  House house;
  install(house);
  std::vector<std::string> echoes;
  for (int i = 0; i < 6; ++i) {
    echoes.push_back(start(house, "echo"));
    start(house, "other");
  }
  for (const int limit : {1, 4, 5, 6, 7, 1000}) {
    CAPTURE(limit);
    CHECK(house.ids("/api/v1/runs?workflow=test%2Fecho", limit) == echoes);
    auto newest = house.ids("/api/v1/runs?workflow=test%2Fecho&order=newest", limit);
    std::reverse(newest.begin(), newest.end());
    CHECK(newest == echoes);
    CHECK(house.ids("/api/v1/runs?status=completed", limit).size() == 12);
    CHECK(house.ids("/api/v1/runs?status=faulted", limit).empty());
  }
  CHECK(int_or(house.get("/api/v1/run-counts?workflow=test%2Fecho"), "completed", 0) == 6);
}

TEST_CASE("api: a list of runs shows each as it is shown alone, payload to those who may") {
  House house;
  install(house);
  const std::string id = start(house, "echo");
  const Json listed = house.get("/api/v1/runs");
  const Json& run = find(listed, "items")->get_array().at(0);
  CHECK(run == house.get("/api/v1/runs/" + id));
  CHECK(to_text(*find(run, "output")) == R"({"seen":"mine"})");
  for (const char* target : {"/api/v1/runs", "/api/v1/runs/"}) {
    const std::string path = std::string(target).ends_with('/') ? target + id : target;
    const auto bare = house.send(House::with_roles({"operator"}), "GET", path);
    CHECK(bare.status == 200);
    CHECK(bare.body.find(id) != std::string::npos);
    CHECK(bare.body.find("mine") == std::string::npos);
  }
}

TEST_CASE("api: an erased run stays in the list without what it held") {
  House house;
  install(house);
  const auto made =
      house.send(House::system(), "POST", "/api/v1/runs",
                 R"({"workflow": "echo", "subject": "ann", "input": {"word": "mine"}})");
  REQUIRE(made.status == 201);
  const std::string other = start(house, "echo");
  REQUIRE(house.loop.run(house.store->erase_subject(House::system(), "ann")).ok());
  const std::string listed = to_text(house.get("/api/v1/runs"));
  CHECK(house.ids("/api/v1/runs", 10).size() == 2);
  CHECK(listed.find(other) != std::string::npos);
}

TEST_CASE("api: reviews and corrections come page by page, erased ones too") {
  House house;
  std::vector<std::string> asked;
  for (int i = 0; i < 5; ++i) {
    asked.push_back(ask(house, "places", i == 1 ? "ann" : "bob"));
    answer(house, asked.back());
  }
  const std::string open = ask(house, "", "bob");
  REQUIRE(house.loop.run(house.store->erase_subject(House::system(), "ann")).ok());
  for (const int limit : {1, 2, 5, 6}) {
    CAPTURE(limit);
    CHECK(house.ids("/api/v1/reviews?status=answered", limit) == asked);
    CHECK(house.ids("/api/v1/reviews?status=open", limit) == std::vector<std::string>{open});
    CHECK(house.ids("/api/v1/corrections?dataset=places", limit).size() == 5);
    CHECK(house.ids("/api/v1/corrections", limit).size() == 5);
    CHECK(house.ids("/api/v1/corrections?dataset=none", limit).empty());
  }
  int erased = 0;
  const Json page = house.get("/api/v1/corrections");
  for (const Json& row : find(page, "items")->get_array()) {
    erased += bool_or(row, "erased", false) ? 1 : 0;
    CHECK((find(row, "correction") == nullptr) == bool_or(row, "erased", false));
    CHECK(text_or(row, "dataset", "") == "places");
  }
  CHECK(erased == 1);
}

TEST_CASE("api: an open review is overdue once its time has passed, and an answered one never") {
  House house;
  const std::string timed = ask(house, "places", "bob", std::chrono::hours(1));
  const std::string answered = ask(house, "places", "bob", std::chrono::hours(1));
  const std::string untimed = ask(house, "places", "bob");
  answer(house, answered);
  const auto overdue = [&house](const std::string& target, const Context& ctx) {
    const auto sent = house.send(ctx, "GET", target);
    REQUIRE(sent.status == 200);
    std::vector<std::string> ids;
    const Json page = parse_json(sent.body).value();
    for (const Json& item : find(page, "items")->get_array()) {
      if (bool_or(item, "overdue", false)) {
        ids.emplace_back(text_or(item, "id", ""));
      }
    }
    return ids;
  };
  CHECK(overdue("/api/v1/reviews", House::system()).empty());
  house.loop.advance(std::chrono::hours(2));
  for (const auto& ctx : {House::system(), House::with_roles({"operator"})}) {
    CHECK(overdue("/api/v1/reviews", ctx) == std::vector<std::string>{timed});
  }
  CHECK(bool_or(house.get("/api/v1/reviews/" + timed), "overdue", false));
  CHECK_FALSE(bool_or(house.get("/api/v1/reviews/" + untimed), "overdue", false));
}

TEST_CASE("api: what a person is shown is payload") {
  House house;
  const std::string id = ask(house, "places", "bob");
  for (const auto& [role, sees] :
       {std::pair("operator", false), std::pair("reviewer", true), std::pair("auditor", true)}) {
    CAPTURE(role);
    const auto one = house.send(House::with_roles({role}), "GET", "/api/v1/reviews/" + id);
    CHECK(one.status == 200);
    CHECK((one.body.find("where is it") != std::string::npos) == sees);
    const auto all = house.send(House::with_roles({role}), "GET", "/api/v1/reviews");
    CHECK((all.body.find("where is it") != std::string::npos) == sees);
  }
}

}  // namespace
}  // namespace aios::api

// SPDX-License-Identifier: Apache-2.0
// Who may not read payloads finds nothing of one, whatever became of the run: each role against
// each answer about runs and reviews, with a text that stands in the input alone.
#include "api/test/house.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace aios::api {
namespace {

using test::House;

constexpr std::string_view marker = "DE89370400440532013000";

/// Name of a workflow and its only task. All but the last two end faulted.
std::vector<std::pair<std::string, std::string>> tasks() {
  return {{"number", "{set: {x: '${ .v | tonumber }'}}"},
          {"error", "{set: {x: '${ error(.v) }'}}"},
          {"member", "{set: {x: '${ .v.a }'}}"},
          {"duration", "{wait: '${ .v }'}"},
          {"raise",
           "{raise: {error: {type: '${ \"https://x/\" + .v }', status: 400, title: '${ .v }', "
           "detail: '${ .v }'}}}"},
          {"assignee",
           "{call: 'review:1.0.0@default', with: {title: t, form: f, evidence: {}, "
           "assignees: ['${ .v }', '${ .v }', '']}}"},
          {"policy", "{call: 'policy:1.0.0@default', with: {path: '${ .v }', input: {}}}"},
          {"review",
           "{call: 'review:1.0.0@default', with: {title: '${ \"Is it \" + .v }', form: f, "
           "evidence: {text: '${ .v }'}, suggestion: {label: '${ .v }'}, "
           "assignees: [reviewer], dataset: d}}"},
          {"done", "{set: {x: '${ .v }'}}"}};
}

struct Scene {
  Scene() {
    std::vector<workflow::DefinitionFile> files;
    for (const auto& [name, task] : tasks()) {
      names.push_back(name);
      files.push_back(
          {name + ".yaml", fmt::format("document: {{dsl: '1.0.3', namespace: t, name: {}, version: "
                                       "'1.0.0'}}\ndo:\n  - go: {}\n",
                                       name, task)});
    }
    const auto errors = house.engine->install(default_tenant(), files);
    CAPTURE(errors.empty() ? "" : errors.front().text());
    REQUIRE(errors.empty());
    for (const auto& name : names) {
      const auto made = house.send(
          House::system(), "POST", "/api/v1/runs",
          fmt::format(R"({{"workflow": "t/{}", "input": {{"v": "{}"}}}})", name, marker));
      CAPTURE(made.body);
      REQUIRE(made.status == 201);
      runs.emplace_back(text_or(parse_json(made.body).value(), "id", ""));
      house.loop.advance(std::chrono::seconds(1));
    }
    const Json page = house.get("/api/v1/reviews");
    review = text_or(find(page, "items")->get_array().at(0), "id", "");
  }
  net::Response get(const std::string& role, const std::string& target) {
    return house.send(House::with_roles({role}), "GET", target);
  }
  bool shows(const std::string& role, const std::string& target) {
    return get(role, target).body.find(marker) != std::string::npos;
  }
  House house;
  std::vector<std::string> names;  ///< of the workflows
  std::vector<std::string> runs;
  std::string review;
};

TEST_CASE("api: who may not read payloads finds none in any answer about a run or a review") {
  Scene scene;
  const auto answer_it = [&] {
    const auto done = scene.house.send(House::with_roles({"reviewer"}), "POST",
                                       "/api/v1/reviews/" + scene.review + "/answer",
                                       fmt::format(R"({{"answer": {{"label": "{}"}}}})", marker));
    CAPTURE(done.body);
    REQUIRE(done.status == 200);
    scene.house.loop.advance(std::chrono::seconds(1));
  };
  for (const bool answered : {false, true}) {
    CAPTURE(answered);
    if (answered) {
      answer_it();
    }
    for (const std::string role :
         {"admin", "developer", "operator", "reviewer", "approver", "auditor", "ingest"}) {
      CAPTURE(role);
      const Context who = House::with_roles({role});
      const bool all = govern::Identity::allow(who, govern::Action::read_payloads).ok();
      const bool asked = govern::Identity::allow(who, govern::Action::answer_reviews).ok();
      for (std::size_t i = 0; i < scene.runs.size(); ++i) {
        CAPTURE(scene.names[i]);
        const std::string path = "/api/v1/runs/" + scene.runs[i];
        CHECK(scene.shows(role, path) == all);
        if (!all) {
          CHECK_FALSE(scene.shows(role, path + "/explain"));
          CHECK_FALSE(scene.shows(role, path + "/history"));
        }
      }
      for (const std::string order : {"oldest", "newest"}) {
        CHECK(scene.shows(role, "/api/v1/runs?limit=1000&order=" + order) == all);
      }
      CHECK(scene.shows(role, "/api/v1/reviews") == (all || asked));
      CHECK(scene.shows(role, "/api/v1/reviews/" + scene.review) == (all || asked));
    }
  }
}

TEST_CASE("api: what is hidden leaves what an operator needs") {
  Scene scene;
  for (std::size_t i = 0; i < scene.runs.size(); ++i) {
    const auto& name = scene.names[i];
    CAPTURE(name);
    const auto answer = scene.get("operator", "/api/v1/runs/" + scene.runs[i]);
    CAPTURE(answer.body);
    const auto run = parse_json(answer.body).value();
    const auto why = scene.get("operator", "/api/v1/runs/" + scene.runs[i] + "/explain");
    CHECK(why.status == 200);
    if (name == "review") {
      CHECK(text_or(run, "waiting_for", "") == "review " + scene.review);
      CHECK(why.body.find("aios review answer " + scene.review) != std::string::npos);
      CHECK(why.body.find("who may answer: reviewer") != std::string::npos);
    } else if (name != "done") {
      REQUIRE(text_or(run, "status", "") == "faulted");
      CHECK(int_or(*find(run, "error"), "status", 0) >= 400);
      CHECK(text_or(*find(run, "error"), "instance", "").starts_with("/do/0/go"));
    }
  }
}

TEST_CASE("api: a run that cannot be read is shown as such in a list and hides no other") {
  Scene scene;
  store::StreamWrite write;
  write.kind = store::StreamKind::run;
  write.id = "run_5";
  write.state = store::Payload{"", "\x07 of another program"};
  write.status = "waiting";
  write.label = "t/other";
  store::Transition transition;
  transition.tenant = default_tenant();
  transition.epoch = scene.house.store->epoch();
  transition.streams.push_back(std::move(write));
  REQUIRE(
      scene.house.loop.run(scene.house.store->commit(House::system(), std::move(transition))).ok());
  for (const std::string role : {"operator", "auditor"}) {
    const auto answer = scene.get(role, "/api/v1/runs?limit=1000");
    CAPTURE(answer.body);
    REQUIRE(answer.status == 200);
    const auto page = parse_json(answer.body).value();
    const auto& items = find(page, "items")->get_array();
    CHECK(items.size() == scene.runs.size() + 1);
    int unreadable = 0;
    for (const auto& item : items) {
      if (text_or(item, "unreadable", "") == "AIOS-1030") {
        ++unreadable;
        CHECK(text_or(item, "id", "") == "run_5");
        CHECK(text_or(item, "workflow", "") == "t/other");
        CHECK(text_or(item, "status", "") == "waiting");
      }
    }
    CHECK(unreadable == 1);
  }
}

}  // namespace
}  // namespace aios::api

// SPDX-License-Identifier: Apache-2.0
// Query parameters: what the OpenAPI document lists is what an operation takes, and nothing else.
#include "api/detail/query.h"
#include "api/test/house.h"
#include "core/text.h"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace aios::api {
namespace {

using test::House;

using Names = std::set<std::string>;

/// The query parameters of each operation, as the document lists them: "GET /api/v1/runs".
std::map<std::string, JsonArray> listed(const House& house) {
  std::map<std::string, JsonArray> out;
  const Json document = openapi_document(house.router);
  for (const auto& path : find(document, "paths")->get_object()) {
    for (const auto& operation : path.value().get_object()) {
      JsonArray& query = out[std::string(operation.key()) + " " + std::string(path.key())];
      const Json* all = find(operation.value(), "parameters");
      for (const Json& one : all == nullptr ? JsonArray() : all->get_array()) {
        if (text_or(one, "in", "") == "query") {
          query.push_back(one);
        }
      }
    }
  }
  return out;
}

Names names_of(const JsonArray& parameters) {
  Names out;
  for (const Json& one : parameters) {
    out.emplace(text_or(one, "name", ""));
  }
  return out;
}

std::string detail_of(const net::Response& answer) {
  auto document = parse_json(answer.body);
  REQUIRE(document.ok());
  return std::string(text_or(*document, "detail", ""));
}

TEST_CASE("api: the document lists the query parameters of every list") {
  House house;
  auto query = listed(house);
  CHECK(names_of(query["get /api/v1/runs"]) ==
        Names{"status", "workflow", "order", "branches", "after", "limit"});
  CHECK(names_of(query["get /api/v1/run-counts"]) == Names{"workflow"});
  CHECK(names_of(query["get /api/v1/events"]) == Names{"status", "type", "after", "limit"});
  CHECK(names_of(query["get /api/v1/reviews"]) == Names{"status", "mine", "claimed", "overdue",
                                                        "role", "workflow", "priority", "order",
                                                        "titles", "after", "limit"});
  CHECK(names_of(query["get /api/v1/corrections"]) == Names{"dataset", "after", "limit"});
  const JsonArray& runs = query["get /api/v1/runs"];
  CHECK(to_text(*find(runs.front(), "schema")) ==
        R"({"type":"string","enum":["running","waiting","completed","faulted","cancelled"]})");
  CHECK(to_text(*find(runs.back(), "schema")) ==
        R"({"type":"integer","minimum":1,"maximum":1000,"default":100})");
}

/// The words that stand between `before` and a quote.
Names words_after(const std::string& source, const std::string& before) {
  Names out;
  for (std::size_t at = source.find(before); at != std::string::npos;
       at = source.find(before, at + 1)) {
    const std::size_t begin = at + before.size();
    out.insert(source.substr(begin, source.find('"', begin) - begin));
  }
  return out;
}

std::string source_of(const std::string& name) {
  std::ifstream file(std::string(AIOS_SOURCE_DIR) + "/src/api/" + name + ".cc");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A value that the parameter takes.
std::string good_value(const std::string& name, const Json* choices) {
  if (choices != nullptr) {
    return std::string(view(choices->get_array().back().get_string()));
  }
  const bool is_time = name == "since" || name == "until" || name == "from" || name == "before";
  return is_time ? "2026-11-21T00:00:00Z" : "7";
}

TEST_CASE("api: what a source file reads from the query is what its rows list") {
  for (const char* name : {"runs", "events", "reviews"}) {
    CAPTURE(name);
    std::string source = source_of(name);
    if (name == std::string_view("runs")) {
      source += source_of("run_search");  // whose rows stand with the others'
    }
    Names reads = words_after(source, "query_text(request, \"");
    reads.merge(words_after(source, "time_given(request, \""));
    Names lists = words_after(source, ".name = \"");
    if (source.find("limit_of(request)") != std::string::npos) {
      reads.insert("limit");
    }
    for (const QueryParameter& shared : {limit_parameter, after_parameter}) {
      if (source.find(std::string(shared.name) + "_parameter") != std::string::npos) {
        lists.emplace(shared.name);
      }
    }
    CHECK(reads.size() >= 3);
    CHECK(reads == lists);
    CHECK(source.find("query_value") == std::string::npos);
  }
}

TEST_CASE("api: a listed parameter is taken, another name or value is refused by name") {
  House house;
  int taken = 0;
  for (const auto& [operation, parameters] : listed(house)) {
    if (!operation.starts_with("get /api/v1/") || operation.find('{') != std::string::npos) {
      continue;
    }
    const std::string path = operation.substr(4);
    CAPTURE(path);
    const auto stranger = house.send(House::system(), "GET", path + "?colour=red");
    CHECK(stranger.status == 400);
    CHECK(stranger.body.find("AIOS-1302") != std::string::npos);
    CHECK(detail_of(stranger).find("'colour'") != std::string::npos);
    for (const Json& one : parameters) {
      const std::string name(text_or(one, "name", ""));
      CAPTURE(name);
      ++taken;
      const Json* choices = find(*find(one, "schema"), "enum");
      const std::string good =
          name == "where" ? "" : good_value(name, choices);  // the house declares no attribute
      if (path != "/api/v1/events") {                        // the house has no inbox
        CHECK(house.send(House::system(), "GET", path + "?" + name + "=").status == 200);
        CHECK(house.send(House::system(), "GET", path + "?" + name + "=" + good).status == 200);
      }
      if (choices != nullptr) {
        const auto odd = house.send(House::system(), "GET", path + "?" + name + "=odd");
        CHECK(odd.status == 400);
        CHECK(detail_of(odd).find("'" + name + "' is 'odd', wanted one of ") != std::string::npos);
      }
    }
  }
  CHECK(taken >= 9);
  const auto slip = house.send(House::system(), "GET", "/api/v1/runs?limti=3");
  CHECK(detail_of(slip).find("did you mean 'limit'?") != std::string::npos);
}

TEST_CASE("api: every list refuses a limit out of bounds") {
  House house;
  for (const char* list : {"runs", "reviews", "corrections", "events"}) {
    for (const char* limit : {"0", "1001", "-1", "ten", "1.5", "99999999999", "%2010", "10x"}) {
      CAPTURE(list);
      CAPTURE(limit);
      const auto answer =
          house.send(House::system(), "GET", std::string("/api/v1/") + list + "?limit=" + limit);
      CHECK(answer.status == 400);
      CHECK(answer.body.find("AIOS-1302") != std::string::npos);
      CHECK(detail_of(answer).find("wanted 1 to 1000") != std::string::npos);
    }
  }
}

TEST_CASE("api: an absent parameter has the value that the row says") {
  constexpr QueryParameter row[] = {limit_parameter,
                                    {.name = "order", .choices = "up|down", .absent_means = "up"}};
  net::Request request;
  request.query = {{"limit", ""}};
  REQUIRE(take_query(row, &request).ok());
  CHECK(limit_of(request) == 100);
  CHECK(query_text(request, "order") == "up");
  request.query = {{"limit", "7"}, {"order", "down"}, {"limit", "9"}};
  REQUIRE(take_query(row, &request).ok());
  CHECK(limit_of(request) == 7);
  CHECK(query_text(request, "order") == "down");
  CHECK(request.query.size() == 2);
}

}  // namespace
}  // namespace aios::api

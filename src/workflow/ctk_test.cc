// SPDX-License-Identifier: Apache-2.0
// The specification's own conformance kit: Gherkin scenarios, run where all their tasks are
// supported and counted.
#include "core/text.h"
#include "expr/yaml.h"
#include "workflow/function.h"
#include "workflow/test/web.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace aios::workflow {
namespace {

struct Scenario {
  std::string feature, name, definition, input;
  std::vector<std::pair<std::string, std::string>> checks;  // phrase and its block, if any
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A block between """ lines, without the indentation of its first line.
std::string read_block(const std::vector<std::string_view>& lines, std::size_t* at) {
  std::string out;
  const auto indent = lines[*at].find('"');
  for (++*at; *at < lines.size() && !trim(lines[*at]).starts_with("\"\"\""); ++*at) {
    const auto line = lines[*at];
    out += line.size() > indent ? line.substr(indent) : trim(line);
    out += '\n';
  }
  return out;
}

std::vector<Scenario> read_feature(const std::string& name, const std::string& text) {
  std::vector<Scenario> out;
  const auto lines = split(text, '\n');
  std::string phrase;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto line = trim(lines[i]);
    if (line.starts_with("Scenario:")) {
      out.push_back({name, std::string(trim(line.substr(9))), "", "", {}});
    } else if (line.starts_with("\"\"\"") && !out.empty()) {
      auto block = read_block(lines, &i);
      if (phrase.find("definition:") != std::string::npos) {
        out.back().definition = std::move(block);
      } else if (phrase.find("input is:") != std::string::npos) {
        out.back().input = std::move(block);
      } else if (!out.back().checks.empty()) {
        out.back().checks.back().second = std::move(block);
      }
    } else if (!line.empty() && !line.starts_with("#")) {
      phrase = std::string(line);
      if (!out.empty() && phrase.find("should") != std::string::npos) {
        out.back().checks.emplace_back(phrase, "");
      }
    }
  }
  return out;
}

Json from_yaml(const std::string& text) {
  auto parsed = expr::parse_yaml(text, "block");
  REQUIRE(parsed.ok());
  return std::move(parsed->value);
}

std::vector<std::string> quoted(const std::string& phrase) {
  std::vector<std::string> out;
  const auto parts = split(phrase, '\'');
  for (std::size_t i = 1; i < parts.size(); i += 2) {
    out.emplace_back(parts[i]);
  }
  return out;
}

const Json* at_path(const Json& value, const std::string& path) {
  std::string pointer = "/" + path;
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  return at_pointer(value, pointer);
}

/// Names of the tasks in the order they ended.
std::vector<std::string> task_order(const Json& history) {
  std::vector<std::string> out;
  for (const auto& event : history.get_array()) {
    const auto* path = at_pointer(event, "/data/path");
    if (path == nullptr) {
      continue;
    }
    for (const auto& reference : path->get_array()) {
      out.emplace_back(split(view(reference.get_string()), '/').back());
    }
  }
  return out;
}

void check_order(const std::string& phrase, const std::vector<std::string>& order) {
  const auto words = split(phrase, ' ');
  const std::string task(words[1]);
  const auto at = std::find(order.begin(), order.end(), task);
  REQUIRE(at != order.end());
  if (phrase.ends_with("run first")) {
    CHECK(at == order.begin());
  } else if (phrase.ends_with("run last")) {
    CHECK(order.back() == task);
  } else {
    const auto other = std::find(order.begin(), order.end(), std::string(words.back()));
    REQUIRE(other != order.end());
    CHECK((phrase.find(" after ") != std::string::npos) == (other < at));
  }
}

void check_phrase(const std::string& phrase, const std::string& block, const RunView& view,
                  const std::vector<std::string>& order) {
  CAPTURE(phrase);
  const auto has = [&](std::string_view part) { return phrase.find(part) != std::string::npos; };
  if (has("workflow should complete")) {
    CHECK(view.status == "completed");
    if (!block.empty()) {
      CHECK(view.output == from_yaml(block));
    }
  } else if (has("workflow should fault")) {
    CHECK(view.status == "faulted");
    if (!block.empty()) {
      CHECK(view.error == from_yaml(block));
    }
  } else if (has(" property containing ")) {
    const auto* found = at_path(view.output, quoted(phrase).front());
    REQUIRE(found != nullptr);
    REQUIRE(found->is_array());
    CHECK(has(fmt::format("containing {} items", found->get_array().size())));
  } else if (has("should have properties")) {
    for (const auto& path : quoted(phrase)) {
      CAPTURE(path);
      CHECK(at_path(view.output, path) != nullptr);
    }
  } else if (has("property with value")) {
    const auto* found = at_path(view.output, quoted(phrase).front());
    REQUIRE(found != nullptr);
    CHECK(*found == from_yaml(block));
  } else {
    check_order(phrase, order);
  }
}

/// The two systems that the scenarios ask, as far as they do.
Result<net::Response> pet_store(const net::ClientRequest& request) {
  constexpr const char* pet = R"({"id": 1, "name": "Milou", "status": "available"})";
  if (request.url == "https://petstore.swagger.io/v2/pet/1") {
    return test::Web::says(200, pet);
  }
  if (request.url == "https://petstore.swagger.io/v2/pet/findByStatus?status=available") {
    return test::Web::says(200, fmt::format("[{}]", pet));
  }
  const bool known =
      request.url == "https://httpbin.org/basic-auth/serverless-workflow/conformance-test" &&
      request.headers.get("authorization") ==
          "Basic c2VydmVybGVzcy13b3JrZmxvdzpjb25mb3JtYW5jZS10ZXN0";
  return test::Web::says(known ? 200 : 404, "{}");
}

void run_scenario(const Scenario& scenario) {
  CAPTURE(scenario.feature);
  CAPTURE(scenario.name);
  test::WebWorld all({"https://petstore.swagger.io", "https://httpbin.org"});
  all.web.answer = pet_store;
  test::World& world = all.world;
  world.add_document(scenario.definition);
  world.start();
  const auto name = world.engine->definitions(default_tenant()).front().name;
  const auto id = world.run_workflow(
      name, scenario.input.empty() ? Json(JsonObject()) : from_yaml(scenario.input));
  const auto view = world.finish(id);
  const auto history = world.executor.run(world.engine->history(world.ctx(), id));
  REQUIRE(history.ok());
  const auto order = task_order(*history);
  for (const auto& [phrase, block] : scenario.checks) {
    check_phrase(phrase, block, view, order);
  }
}

std::filesystem::path conformance() {
  const char* given = std::getenv("AIOS_CONFORMANCE_DIR");
  return given != nullptr ? std::filesystem::path(given)
                          : std::filesystem::path(AIOS_SOURCE_DIR) / "../shared/conformance";
}

}  // namespace

TEST_CASE("ctk: every scenario whose tasks are supported passes") {
  const auto folder = conformance() / "ows/ctk/features";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("SKIPPED: ows/ctk is not there");
    return;
  }
  FunctionRegistry functions;
  register_all_functions(functions);
  int run = 0;
  int refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto scenarios = read_feature(entry.path().filename().string(), read_file(entry.path()));
    for (const auto& scenario : scenarios) {
      const auto errors = Engine::check({{scenario.name, scenario.definition}}, functions);
      if (errors.empty()) {
        ++run;
        run_scenario(scenario);
        continue;
      }
      ++refused;
      MESSAGE(fmt::format("ctk: skipped '{}': {}", scenario.name, errors.front().message()));
      for (const auto& error : errors) {
        CHECK(error.page() == 1002);  // refused because it is not supported, for no other reason
      }
    }
  }
  MESSAGE(fmt::format("ctk: {} scenarios run, {} refused as not supported", run, refused));
  CHECK(run == 13);
  CHECK(refused == 1);
}

TEST_CASE("ows: examples are accepted, or refused only for what is not supported") {
  const auto folder = conformance() / "ows";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("SKIPPED: ows is not there");
    return;
  }
  FunctionRegistry functions;
  register_all_functions(functions);
  int accepted = 0;
  int refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "examples")) {
    const auto name = entry.path().filename().string();
    CAPTURE(name);
    const auto errors = Engine::check({{name, read_file(entry.path())}}, functions);
    accepted += errors.empty() ? 1 : 0;
    refused += errors.empty() ? 0 : 1;
    for (const auto& error : errors) {
      CAPTURE(error.text());
      CHECK(error.page() == 1002);
      CHECK(error.line() > 0);
    }
  }
  MESSAGE(fmt::format("ows examples: {} accepted, {} refused as not supported", accepted, refused));
  CHECK(accepted + refused == 45);
  CHECK(accepted >= 15);
  for (const auto& entry : std::filesystem::directory_iterator(folder / "invalid")) {
    const auto errors = Engine::check({{"invalid", read_file(entry.path())}}, functions);
    CHECK_FALSE(errors.empty());
  }
}

}  // namespace aios::workflow

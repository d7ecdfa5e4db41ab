// SPDX-License-Identifier: Apache-2.0
#include "app/templates.h"

#include "core/text.h"
#include "scenario/scenario.h"
#include "workflow/function.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace aios::app {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    std::string path = (fs::temp_directory_path() / ("aios-new-" + std::string(6, 'X'))).string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    root = path;
  }
  ~Folder() { fs::remove_all(root); }
  std::string at(std::string_view name) const { return (root / name).string(); }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(root), fs::directory_iterator()));
  }
  fs::path root;
};

/// What a bundle deploys and what tries it out; the rest is for people.
bundle::Files only(const bundle::Files& files, bool tests) {
  bundle::Files out;
  for (const auto& [path, text] : files) {
    if (path.starts_with("tests/") == tests && !path.starts_with("demo/") && path != "README.md" &&
        path != ".gitignore") {
      out[path] = text;
    }
  }
  return out;
}

TEST_CASE("templates: each makes a bundle without any finding, whose policies' tests pass") {
  workflow::FunctionRegistry functions;
  workflow::register_all_functions(functions);
  REQUIRE(template_names() == std::vector<std::string>{"minimal", "support"});
  for (const std::string& name : template_names()) {
    CAPTURE(name);
    auto checked =
        bundle::check_bundle(only(files_of_template(name, "own-desk"), false), {}, functions);
    for (const Error& error : checked.errors) {
      FAIL_CHECK(error.text());
    }
    for (const Error& warning : checked.warnings) {
      FAIL_CHECK(warning.text());
    }
    REQUIRE(checked.bundle);
    CHECK(checked.bundle->name == "own-desk");
    CHECK(checked.bundle->workflows.size() == 1);
    CHECK(checked.bundle->forms.size() == 1);
    auto tested = govern::Guard::test(checked.bundle->policies, checked.bundle->parameters);
    CHECK_MESSAGE(tested.ok(), (tested.ok() ? "" : tested.error().text()));
  }
}

TEST_CASE("templates: each has scenarios, and all of them hold") {
  for (const std::string& name : template_names()) {
    const bundle::Files files = files_of_template(name, "own-desk");
    auto read = scenario::read_scenarios(only(files, true));
    REQUIRE(read.errors.empty());
    CHECK(read.scenarios.size() >= 3);
    bundle::Learnt learnt;
    for (const auto& one : read.scenarios) {
      auto verdict = scenario::run_scenario(one, only(files, false), {}, &learnt);
      REQUIRE(verdict.ok());
      for (const Error& failure : verdict->failures) {
        FAIL_CHECK(one.name << ": " << failure.text());
      }
    }
  }
}

TEST_CASE("templates: the name stands wherever a template asks for it, and a README has commands") {
  for (const std::string& name : template_names()) {
    const bundle::Files files = files_of_template(name, "own-desk");
    for (const auto& [path, text] : files) {
      CAPTURE(path);
      CHECK(text.find("@NAME@") == std::string::npos);
    }
    // What the README's commands leave in the folder holds keys.
    CHECK(files.at(".gitignore").find("\naios-data/\n*.key\n") != std::string::npos);
    CHECK(files.at("workflows/" + std::string(name == "minimal" ? "request" : "ticket") + ".yaml")
              .find("namespace: own-desk\n") != std::string::npos);
    const auto commands = first_commands(files.at("README.md"));
    REQUIRE(commands.size() == 6);
    CHECK(commands.front() == "aios check .");
    // Pasted at once: what asks the server waits for it.
    CHECK(commands[2].ends_with("aios serve &"));
    CHECK(commands[3].starts_with("until "));
    CHECK(commands[4] == "aios deploy .");
  }
  CHECK(first_commands("no block").empty());
  CHECK(first_commands("```\na picture\n```\ntext\n```\naios check .\n").size() == 1);
}

TEST_CASE("templates: a name is a folder, a namespace and a part of an event type") {
  for (const char* good : {"a", "my-desk", "desk2"}) {
    CHECK(check_new_name("bundle", good).ok());
  }
  for (const std::string& bad :
       {std::string(), std::string("My"), std::string("2nd"), std::string("a-"), std::string("-a"),
        std::string("a_b"), std::string("a/b"), std::string(".."), std::string(64, 'a')}) {
    CAPTURE(bad);
    auto checked = check_new_name("bundle", bad);
    REQUIRE(!checked.ok());
    CHECK(checked.error().page() == 1424);
  }
}

TEST_CASE("templates: a new folder is there whole, or what was there stays as it was") {
  Folder folder;
  const bundle::Files files = {{"aios.yaml", "name: a\n"}, {"workflows/a.yaml", "x"}};
  REQUIRE(write_new_folder(folder.at("fresh"), files).ok());
  CHECK(fs::is_regular_file(folder.at("fresh/workflows/a.yaml")));
  fs::create_directory(folder.at("empty"));
  CHECK(write_new_folder(folder.at("empty/"), files).ok());
  CHECK(fs::is_regular_file(folder.at("empty/aios.yaml")));

  std::ofstream(folder.at("fresh/own.txt")) << "mine";
  for (const char* taken : {"fresh", "fresh/own.txt"}) {
    auto refused = write_new_folder(folder.at(taken), {{"other", "x"}});
    REQUIRE(!refused.ok());
    CHECK(refused.error().page() == 1423);
  }
  CHECK(!fs::exists(folder.at("fresh/other")));
  CHECK(folder.entries() == 2);

  fs::create_symlink("/nowhere", folder.at("link"));
  CHECK(!write_new_folder(folder.at("link"), files).ok());
}

TEST_CASE("templates: what cannot be written leaves nothing behind") {
  Folder folder;
  // "aios.yaml" is a file here, so nothing can stand below it
  const bundle::Files files = {{"aios.yaml", "name: a\n"}, {"aios.yaml/below", "x"}};
  auto refused = write_new_folder(folder.at("fresh"), files);
  REQUIRE(!refused.ok());
  CHECK(refused.error().page() == 1403);
  CHECK(folder.entries() == 0);
}

}  // namespace
}  // namespace aios::app

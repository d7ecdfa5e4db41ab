// SPDX-License-Identifier: Apache-2.0
#include "app/dev_step.h"

#include "app/templates.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace aios::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view workflow =
    R"(document: {dsl: '1.0.3', namespace: shop, name: sum, version: '1.0.0'}
do:
  - add: {set: {total: '${ .a + .b }'}}
  - stop: {raise: {error: {type: 'https://example.com/stop', status: 422, title: 'stop here'}}}
)";

/// A bundle of the minimal template with a workflow of two tasks besides.
struct Bundle {
  Bundle() {
    std::string path = (fs::temp_directory_path() / ("aios-step-" + std::string(6, 'X'))).string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    root = path;
    REQUIRE(write_new_folder(directory(), files_of_template("minimal", "shop")).ok());
    write("workflows/sum.yaml", workflow);
  }
  ~Bundle() { fs::remove_all(root); }
  std::string directory() const { return (root / "shop").string(); }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(fs::path(directory()) / name) << text;
  }
  Result<void> run(const StepOptions& options) const {
    Session session;
    session.json = true;
    return run_one_step(session, directory(), {}, options);
  }
  int page_of(const std::string& name, const std::string& input = "",
              const std::string& scenario = "") const {
    const auto done = run({name, input, "", scenario});
    return done.ok() ? 0 : done.error().page();
  }
  fs::path root;
};

TEST_CASE("dev step: one task runs with the input that is given, as JSON or as a file of it") {
  const Bundle bundle;
  CHECK(bundle.page_of("sum/add", R"({"a": 1, "b": 2})") == 0);
  CHECK(bundle.page_of("shop/sum/add", R"( {"a": 1, "b": 2})") == 0);
  bundle.write("input.json", R"({"a": 1, "b": 2})");
  const std::string file = bundle.directory() + "/input.json";
  CHECK(bundle.page_of("sum/add", file) == 0);
}

TEST_CASE("dev step: a task that ends with an error is a failure of the command") {
  const Bundle bundle;
  CHECK(bundle.page_of("sum/stop") == 1428);
}

TEST_CASE("dev step: a name that is none, and a workflow or task that is not there, are told") {
  const Bundle bundle;
  for (const char* name : {"sum", "/add", "sum/"}) {
    CAPTURE(name);
    CHECK(bundle.page_of(name) == 1427);
  }
  CHECK(bundle.page_of("sum/colour") == 1426);
  CHECK(bundle.page_of("colour/add") == 1426);
  CHECK(bundle.page_of("sum/add", "", "colour") == 1421);
}

TEST_CASE("dev step: an input that is no JSON is told with its place, as text and in a file") {
  const Bundle bundle;
  CHECK(bundle.page_of("sum/add", "{\"a\": 1,") == 1427);
  CHECK(bundle.page_of("sum/add", "no-such-file") == 1427);
  bundle.write("input.json", "{\n  \"a\": oops\n}");
  const auto done = bundle.run({"sum/add", "", bundle.directory() + "/input.json", ""});
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().page() == 1427);
  CHECK(done.error().line() == 2);
}

TEST_CASE("dev step: of a bundle with problems no step is run") {
  const Bundle bundle;
  bundle.write("workflows/broken.yaml", "do: 3\n");
  CHECK(bundle.page_of("sum/add", R"({"a": 1, "b": 2})") == 1410);
}

}  // namespace
}  // namespace aios::app

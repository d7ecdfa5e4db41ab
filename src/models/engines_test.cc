// SPDX-License-Identifier: Apache-2.0
// What must hold for every engine, by running over the files that register one.
#include "core/test/plugins.h"
#include "models/embedding.h"
#include "models/models.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace aios::models {
namespace {

/// Neither nothing, nor rubbish, nor what another format begins with is a model.
template <class Load>
void check_refusals(const Load& load) {
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(200, 'x')}) {
    const auto refused = load(bytes);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code() == Code::data_loss);
    CHECK(refused.error().page() != 0);
  }
}

}  // namespace

TEST_CASE("engines: each is called like its file, says what it does, and refuses rubbish") {
  EngineRegistry registry;
  register_all_engines(registry);
  const auto files = aios::test::plugin_files("models/engines");
  REQUIRE(files.size() >= 2);
  const auto names = registry.names();
  for (const std::string& name : files) {
    CAPTURE(name);
    const EngineEntry* engine = registry.find(name);
    const EmbeddingEntry* embedding = registry.find_embedding(name);
    REQUIRE((engine != nullptr) != (embedding != nullptr));
    if (embedding != nullptr) {
      CHECK(embedding->summary.ends_with('.'));
      check_refusals(embedding->load);
      continue;
    }
    CHECK(std::count(names.begin(), names.end(), name) == 1);
    CHECK(engine->summary.ends_with('.'));
    check_refusals(engine->load);
    const auto nothing = engine->train({}, {});
    REQUIRE_FALSE(nothing.ok());
    CHECK(nothing.error().code() == Code::invalid_argument);
    CHECK(nothing.error().page() == 700);
  }
  for (const std::string& name : names) {
    CHECK(files.contains(name));
  }
}

}  // namespace aios::models

// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/test/documents: what tests of documents share: a document with a name, time that passes,
// all runs there are, and what is refused at load.

#include "store/store.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::workflow::test {

inline std::string document(std::string_view name, std::string_view rest) {
  return fmt::format("document: {{dsl: '1.0.3', namespace: test, name: {}, version: '1.0.0'}}\n{}",
                     name, rest);
}

inline void pass(World& world, Duration time) {
  const auto rested = world.executor.run(runtime::sleep_for(Context(), time));
  REQUIRE(rested.ok());
}

inline std::vector<RunView> all_runs(World& world, Branches branches) {
  store::ListQuery query;
  query.tenant = default_tenant();
  auto page =
      world.executor.run(world.engine->list(world.ctx(), std::move(query), Shown::all, branches));
  REQUIRE(page.ok());
  return page->runs;
}

/// What is said of the documents, of each error a line.
inline std::string refused(const std::vector<std::string>& texts) {
  OutsideSystem system;
  FunctionRegistry registry;
  register_system(registry, system);
  std::vector<DefinitionFile> files;
  for (const auto& text : texts) {
    files.push_back({fmt::format("w{}.yaml", files.size()), text});
  }
  std::string out;
  for (const auto& error : Engine::check(files, registry)) {
    out += error.text() + "\n";
  }
  return out;
}

}  // namespace aios::workflow::test

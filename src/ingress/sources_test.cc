// SPDX-License-Identifier: Apache-2.0
// What must hold for every source of events, by running over the entries.
#include "core/test/plugins.h"
#include "ingress/ingress.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace aios::ingress {

TEST_CASE("sources: each is called like its file and says in a sentence what it takes") {
  SourceRegistry registry;
  register_all_sources(registry);
  std::set<std::string> names;
  for (const SourceEntry& entry : registry.entries()) {
    CAPTURE(entry.name);
    CHECK(names.insert(entry.name).second);
    CHECK(entry.summary.ends_with('.'));
    CHECK((entry.mount != nullptr));
  }
  CHECK(names == aios::test::plugin_files("ingress/sources"));
}

}  // namespace aios::ingress

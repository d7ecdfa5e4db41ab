// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/test/limited: a run whose calls lose every answer, with a callback that tells of its
// end.

#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace aios::workflow::test {

inline std::string calling(std::string_view effect) {
  return fmt::format("call: 'system:1.0.0@default', with: {{class: {}, value: 7}}", effect);
}

/// A run whose call loses every answer.
struct Limited {
  explicit Limited(std::string_view top, std::string_view tasks) {
    world.add_document(
        fmt::format("document: {{dsl: '1.0.3', namespace: test, name: pay, version: '1.0.0'}}\n"
                    "{}do:\n{}",
                    top, tasks));
    world.start();
    world.system.lookup_fails = true;
    world.system.chooser = [] { return Behaviour::lose_reply; };
  }
  std::string go() {
    StartRequest request;
    request.workflow = "pay";
    request.run_id = "run_0";
    request.input = JsonObject();
    request.callback = JsonObject{{"url", "http://127.0.0.1:9/back"}};
    auto started = world.executor.run(world.engine->start(world.ctx(), std::move(request)));
    REQUIRE(started.ok());
    return *started;
  }
  void resolve(const std::string& word, Json result = nullptr) {
    const auto done = world.executor.run(world.engine->resolve_incident(
        world.ctx(), "run_0",
        {.incident = world.view("run_0").incident, .word = word, .result = std::move(result)}));
    REQUIRE(done.ok());
  }
  std::string outbox() {
    auto rows = world.executor.run(world.store->outbox(world.ctx(), 0, 10));
    REQUIRE(rows.ok());
    std::string all;
    for (const auto& row : *rows) {
      all += row.data;
    }
    return all;
  }
  World world;
};

}  // namespace aios::workflow::test

// SPDX-License-Identifier: Apache-2.0
// Who started a run and who cancelled it stands in the log, under their own names.
#include "workflow/test/world.h"

#include "govern/audit.h"

#include <doctest/doctest.h>

namespace aios::workflow {
namespace {

using test::World;

constexpr const char* document = R"(
document: {dsl: '1.0.3', namespace: test, name: rest, version: '1.0.0'}
do:
  - rest: {wait: PT10H}
)";

Context of_key(std::string id) {
  Context ctx = system_context(default_tenant(), "test");
  ctx.principal = std::make_shared<const Principal>(
      Principal{std::move(id), "key", std::vector<std::string>{"operator"}});
  return ctx;
}

struct Who {
  Who() {
    world.add_document(document);
    world.start();
  }
  std::string start(std::string key, store::Transition with = {}) {
    StartRequest request;
    request.workflow = "rest";
    request.input = JsonObject();
    request.with = std::move(with);
    return world.executor.run(world.engine->start(of_key(std::move(key)), std::move(request)))
        .value();
  }
  Result<void> cancel(const std::string& run_id, std::string key) {
    std::string reason = "cancelled by " + key;
    return world.executor.run(
        world.engine->cancel(of_key(std::move(key)), run_id, std::move(reason)));
  }
  /// "<outcome> by <principal> of <starter>" of each leaf of the run.
  std::vector<std::string> leaves(const std::string& run_id) {
    std::vector<std::string> out;
    const auto all = world.executor.run(world.store->leaves(world.ctx(), 0, 1'000)).value();
    for (const std::string& text : all) {
      auto leaf = parse_json(text);
      if (leaf.ok() && text_or(*leaf, "stream", "") == run_id) {
        const Json* facts = find(*leaf, "facts");
        out.push_back(std::string(text_or(*leaf, "outcome", "")) + " by " +
                      std::string(text_or(leaf->at("principal"), "id", "")) + " of " +
                      std::string(text_or(*facts, "starter", "")));
      }
    }
    return out;
  }
  World world;
};

}  // namespace

TEST_CASE("who: a run says who started it, from its start to its end and after a crash") {
  Who who;
  const auto id = who.start("key_anna");
  CHECK(who.leaves(id) == std::vector<std::string>{"started by key_anna of "});
  CHECK(who.world.view(id).starter == "key_anna");
  who.world.crash();
  who.world.start();
  CHECK(who.world.view(id).starter == "key_anna");
  CHECK(who.world.finish(id, std::chrono::hours(20)).status == "completed");
  CHECK(who.world.view(id).starter == "key_anna");
  CHECK(who.leaves(id).back() == "completed by " + id + " of key_anna");
}

TEST_CASE("who: what an event starts has the event's leaf and none of its own") {
  Who who;
  store::Transition with;
  with.tenant = default_tenant();
  with.leaves.push_back({"the event's leaf"});
  const auto id = who.start("key_sender", std::move(with));
  CHECK(who.leaves(id).empty());
  CHECK(who.world.view(id).starter == "key_sender");
}

TEST_CASE("who: a cancelled run's log says who cancelled it, once") {
  Who who;
  const auto id = who.start("key_anna");
  REQUIRE(who.cancel(id, "key_bert").ok());
  CHECK(who.cancel(id, "key_bert").ok());  // again: nothing happens
  CHECK(who.leaves(id) == std::vector<std::string>{"started by key_anna of ",
                                                   "cancel_asked by key_bert of ",
                                                   "cancelled by " + id + " of key_anna"});
}

}  // namespace aios::workflow

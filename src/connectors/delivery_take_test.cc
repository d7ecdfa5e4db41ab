// SPDX-License-Identifier: Apache-2.0
// What is taken from the outbox: one delivery a receiver, whatever the message's size, and however
// often it is taken.
#include "connectors/delivery.h"
#include "connectors/detail/delivery_record.h"
#include "connectors/test/leaving.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

namespace aios::connectors {
namespace {

using std::chrono::seconds;
using test::Leaving;

/// `count` subscriptions to everything, by names that begin with `prefix`.
std::vector<ManifestFile> subscriptions(int count, const std::string& prefix = "r") {
  std::vector<ManifestFile> out;
  for (int i = 0; i < count; ++i) {
    const std::string name = fmt::format("{}{:02}", prefix, i);
    out.push_back({"subscriptions/" + name + ".yaml",
                   fmt::format("name: {}\nregion: eu\nurl: http://shop.example/{}\ntypes: ['*']\n"
                               "secret: shop-key\n",
                               name, name)});
  }
  return out;
}

/// As a run's commit leaves it in the outbox.
store::OutboxRow message_in(Leaving& world, const Json& event) {
  store::Transition transition;
  transition.tenant = default_tenant();
  transition.epoch = world.store->epoch();
  transition.outbox.push_back({"event", "run_1", {"", to_text(event)}});
  REQUIRE(world.loop.run(world.store->commit(Leaving::ctx(), std::move(transition))).ok());
  auto rows = world.loop.run(world.store->outbox(Leaving::ctx(), 0, 1));
  REQUIRE(rows.value().size() == 1);
  return rows->front();
}

Json event_of(JsonObject more) {
  more["specversion"] = "1.0";
  more["id"] = "e1";
  more["source"] = "/shop/";
  more["type"] = "order.shipped";
  return Json(std::move(more));
}

std::multiset<std::string> receivers(Leaving& world, const std::string& status) {
  std::multiset<std::string> out;
  for (const auto& row : world.rows(status)) {
    out.insert(row.label);
  }
  return out;
}

TEST_CASE("delivery: a large event for more receivers than one commit holds goes to all of them") {
  Leaving world;
  world.subscribe(subscriptions(50));
  world.go();
  for (int i = 0; i < 50; ++i) {
    world.client.answer(200, "");
  }
  world.emit("run_1", "order.shipped", {{"text", std::string(480'000, 'x')}});
  world.loop.advance(seconds(1));
  CHECK(world.rows("delivered").size() == 50);
  CHECK(receivers(world, "delivered").count("r49") == 1);
}

TEST_CASE("delivery: a message that is taken again makes no second delivery, after a deploy too") {
  Leaving world;
  world.subscribe(subscriptions(1, "m"));
  const auto row = message_in(world, event_of({}));
  REQUIRE(world.loop.run(world.deliveries->take(Leaving::ctx(), row)).ok());
  auto files = subscriptions(2, "a");  // they stand before the one that has it
  files.push_back(subscriptions(1, "m").front());
  world.stop();
  world.open();
  world.subscribe(files);
  REQUIRE(world.loop.run(world.deliveries->take(Leaving::ctx(), row)).ok());
  REQUIRE(world.loop.run(world.deliveries->take(Leaving::ctx(), row)).ok());
  CHECK(receivers(world, "pending") == std::multiset<std::string>{"a00", "a01", "m00"});
  world.go();
  for (int i = 0; i < 3; ++i) {
    world.client.answer(200, "");
  }
  world.loop.advance(seconds(1));
  CHECK(world.client.requests.size() == 3);
  CHECK(world.rows("delivered").size() == 3);
  for (const auto& one : world.deliveries->subscriptions(default_tenant())) {
    CHECK(one.pending == 0);
  }
}

TEST_CASE("delivery: what the store refuses for good is a dead letter that names the event") {
  Leaving world;
  const auto row = message_in(world, event_of({{"subject", std::string(300, 's')}}));
  REQUIRE(world.loop.run(world.deliveries->take(Leaving::ctx(), row)).ok());
  CHECK(world.loop.run(world.store->outbox(Leaving::ctx(), 0, 10)).value().empty());
  const Json dead = world.only();
  CHECK(text_or(dead, "status", "") == "dead");
  CHECK(text_or(dead.at("event"), "id", "") == "e1");
  CHECK(text_or(dead, "last_error", "").find("AIOS-0406") != std::string::npos);
}

TEST_CASE("delivery: an old dead letter without its data, which does not say so, is not replayed") {
  Leaving world;
  world.go();
  detail::Delivery old;
  old.receiver = "shop";
  old.kind = "event";
  old.run = "run_1";
  old.envelope = detail::head_of(event_of({{"data", {{"order", 1}}}}));
  old.last_error = "it has 600000 bytes, at most 524288 are sent";
  REQUIRE(to_text(old.to_json()).find("cut") == std::string::npos);
  const std::string id = detail::delivery_id(1, 0);
  store::Transition transition;
  transition.tenant = default_tenant();
  transition.epoch = world.store->epoch();
  transition.streams.push_back(detail::write_of(id, 0, old, detail::dead));
  REQUIRE(world.loop.run(world.store->commit(Leaving::ctx(), transition)).ok());
  CHECK(bool_or(world.only(), "cut", false));
  const auto refused = world.loop.run(world.deliveries->replay(Leaving::ctx(), id));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 947);
  old.last_error = "10000 deliveries wait for the receiver already";
  old.envelope.get_object()["data"] = JsonObject{{"order", 1}};
  transition.streams = {detail::write_of(id, 1, old, detail::dead)};
  REQUIRE(world.loop.run(world.store->commit(Leaving::ctx(), transition)).ok());
  CHECK_FALSE(bool_or(world.only(), "cut", false));  // that one is whole
  CHECK(world.loop.run(world.deliveries->replay(Leaving::ctx(), id)).ok());
}

TEST_CASE("delivery: what was too large to be sent is not replayed, for its data were not kept") {
  Leaving world;
  world.go();
  world.emit("run_1", "order.shipped", {{"text", std::string(600'000, 'x')}});
  const Json dead = world.only();
  CHECK(text_or(dead, "status", "") == "dead");
  CHECK(bool_or(dead, "cut", false));
  const std::string id(text_or(dead, "id", ""));
  const auto refused = world.loop.run(world.deliveries->replay(Leaving::ctx(), id));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 947);
  CHECK(refused.error().text().find("at most 524288 are sent") != std::string::npos);
  world.client.answer(200, "");
  world.loop.advance(seconds(10));
  CHECK(world.client.requests.empty());
  CHECK(text_or(world.only(), "status", "") == "dead");
}

}  // namespace
}  // namespace aios::connectors

// SPDX-License-Identifier: Apache-2.0
// Dead deliveries made pending again, all of them with a few calls.
#include "api/test/house.h"
#include "runtime/task_group.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

namespace aios::api {
namespace {

using test::House;

/// As they are sent, until nothing is left to do.
void send_all(House& house) {
  Context ctx = House::system();
  ctx.cancel = std::make_shared<CancelState>();
  runtime::TaskGroup group(house.loop);
  group.spawn(house.deliveries->run(ctx));
  house.loop.advance(std::chrono::seconds(1));
  ctx.cancel->cancel();
  house.loop.run(group.join());
}

/// A callback to "shop" with so much data, taken up.
void call_back(House& house, std::size_t bytes) {
  store::Transition transition;
  transition.tenant = default_tenant();
  transition.epoch = house.store->epoch();
  const Json message =
      JsonObject{{"receiver", "shop"},
                 {"url", "http://shop.example/in"},
                 {"subject", ""},
                 {"envelope", JsonObject{{"type", "t"}, {"data", std::string(bytes, 'x')}}}};
  transition.outbox.push_back({"callback", "run_1", {"", to_text(message)}});
  REQUIRE(house.loop.run(house.store->commit(House::system(), std::move(transition))).ok());
  auto rows = house.loop.run(house.store->outbox(House::system(), 0, 1)).value();
  REQUIRE(rows.size() == 1);
  REQUIRE(house.loop.run(house.deliveries->take(House::system(), std::move(rows[0]))).ok());
}

/// The state of a delivery that became a dead letter: no policy allows it. It was replayed.
std::string dead_state(House& house) {
  auto staged = house.deliveries->stage(
      default_tenant(),
      {{"subscriptions/shop.yaml",
        "name: shop\nregion: eu\nsecret: shop-key\ncallbacks: http://shop.example/\n"}},
      JsonObject());
  REQUIRE(staged.errors.empty());
  staged.put();
  call_back(house, 10);
  send_all(house);
  auto dead = house.loop.run(house.deliveries->list(House::system(), {})).value();
  REQUIRE(dead.size() == 1);
  REQUIRE(dead[0].status == "dead");
  REQUIRE(house.loop.run(house.deliveries->replay(House::system(), dead[0].id)).ok());
  return dead[0].state;
}

void put_dead(House& house, const std::string& subject, const std::string& state, int from,
              int count) {
  constexpr int at_once = 50;  // streams of one transition
  for (int i = 0; i < count;) {
    store::Transition transition;
    transition.tenant = default_tenant();
    transition.epoch = house.store->epoch();
    for (; i < count && transition.streams.size() < at_once; ++i) {
      store::StreamWrite write;
      write.kind = store::StreamKind::delivery;
      write.id = fmt::format("dlv_a{:06}", from + i);
      write.state = store::Payload{subject, state};
      write.status = "dead";
      write.label = "shop";
      transition.streams.push_back(std::move(write));
    }
    REQUIRE(house.loop.run(house.store->commit(House::system(), std::move(transition))).ok());
  }
}

Json replay(House& house, const std::string& after = "") {
  const auto answer = house.send(House::with_roles({"operator"}), "POST",
                                 "/api/v1/deliveries/replay?receiver=shop&after=" + after);
  CAPTURE(answer.body);
  REQUIRE(answer.status == 200);
  return parse_json(answer.body).value();
}

TEST_CASE("api: dead deliveries that were erased stand before none that can be replayed") {
  House house;
  const std::string state = dead_state(house);
  put_dead(house, "ann", state, 0, 1'100);
  REQUIRE(house.loop.run(house.store->erase_subject(House::system(), "ann")).ok());
  put_dead(house, "", state, 5'000, 3);
  const Json done = replay(house);
  CHECK(int_or(done, "replayed", 0) == 3);
  CHECK_FALSE(bool_or(done, "more", true));
}

TEST_CASE("api: a replay of all passes over what was too large to be sent") {
  House house;
  const std::string state = dead_state(house);
  call_back(house, connectors::Deliveries::body_bytes_max);
  put_dead(house, "", state, 0, 1);
  const Json done = replay(house);
  CHECK(int_or(done, "replayed", 0) == 1);
  store::ListQuery query;
  query.status = "dead";
  const auto dead = house.loop.run(house.deliveries->list(House::system(), query)).value();
  REQUIRE(dead.size() == 1);
  const auto shown = house.get("/api/v1/deliveries/" + dead[0].id);
  CHECK(bool_or(shown, "cut", false));
  const auto refused = house.send(House::with_roles({"operator"}), "POST",
                                  "/api/v1/deliveries/" + dead[0].id + "/replay");
  CHECK(refused.body.find("AIOS-0947") != std::string::npos);
}

TEST_CASE("api: more dead deliveries than one call replays: the next goes on behind them") {
  House house;
  const std::string state = dead_state(house);
  put_dead(house, "", state, 0, 1'200);
  const Json first = replay(house);
  CHECK(int_or(first, "replayed", 0) == 1'000);
  CHECK(bool_or(first, "more", false));
  const Json second = replay(house, std::string(text_or(first, "next", "")));
  CHECK(int_or(second, "replayed", 0) == 200);
  CHECK_FALSE(bool_or(second, "more", true));
}

TEST_CASE("api: a replay of all ends where a receiver has no room, and says where") {
  House house;
  const std::string state = dead_state(house);
  const int bound = static_cast<int>(connectors::Deliveries::pending_max);
  put_dead(house, "", state, 0, bound + 100);
  int replayed = 1;  // dead_state's own
  std::string after;
  for (int call = 0; call < bound / 1'000; ++call) {
    const Json done = replay(house, after);
    replayed += static_cast<int>(int_or(done, "replayed", 0));
    after = text_or(done, "next", "");
  }
  CHECK(replayed == bound);
  const auto full = house.send(House::with_roles({"operator"}), "POST",
                               "/api/v1/deliveries/replay?receiver=shop&after=" + after);
  CHECK(full.body.find("AIOS-1330") != std::string::npos);
}

}  // namespace
}  // namespace aios::api

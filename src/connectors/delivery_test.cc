// SPDX-License-Identifier: Apache-2.0
// What leaves: signed, in order, again until its time is up, and never without the guard's word.
#include "connectors/delivery.h"
#include "connectors/detail/webhook.h"
#include "connectors/test/leaving.h"
#include "runtime/sim_wall.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace aios::connectors {
namespace {

using test::Leaving;
using test::secret_text;

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string header(const net::ClientRequest& request, std::string_view name) {
  return std::string(request.headers.get(name));
}

TEST_CASE("delivery: a signature is the one that Standard Webhooks publishes") {
  const char* folder = std::getenv("AIOS_CONFORMANCE_DIR");
  std::ifstream file(std::string(folder == nullptr ? "" : folder) +
                     "/webhooks/standard-webhooks-vectors.json");
  if (!file) {
    MESSAGE("SKIPPED: webhooks/standard-webhooks-vectors.json is absent");
    return;
  }
  std::stringstream text;
  text << file.rdbuf();
  const Json vectors = parse_json(text.str()).value();
  const Json& sign = *find(vectors, "sign");
  auto key = detail::webhook_key(text_or(sign, "secret", ""));
  REQUIRE(key.ok());
  CHECK(detail::webhook_signature(*key, text_or(sign, "id", ""), int_or(sign, "timestamp", 0),
                                  text_or(sign, "body", "")) == text_or(sign, "want", ""));
  int refused = 0;
  for (const Json& bad : find(vectors, "invalid_secrets")->get_array()) {
    refused += detail::webhook_key(view(bad.get_string())).ok() ? 0 : 1;
  }
  CHECK(refused == 3);
}

TEST_CASE("delivery: an event goes to who subscribed to it, signed, and its leaves say so") {
  Leaving world;
  world.go();
  world.client.answer(204, "");
  world.emit("run_1", "order.shipped", {{"order", 7}});
  world.emit("run_1", "nobody.wants.it");
  world.loop.advance(seconds(1));
  REQUIRE(world.client.requests.size() == 1);
  const auto& request = world.client.requests[0];
  CHECK(request.method == "POST");
  CHECK(request.url == "http://shop.example:8080/hooks");
  CHECK(header(request, "content-type").starts_with("application/cloudevents+json"));
  const Json delivery = world.only();
  CHECK(text_or(delivery, "status", "") == "delivered");
  CHECK(header(request, "webhook-id") == text_or(delivery, "id", ""));
  const auto key = detail::webhook_key(secret_text).value();
  CHECK(header(request, "webhook-signature") ==
        detail::webhook_signature(key, header(request, "webhook-id"),
                                  std::stoll(header(request, "webhook-timestamp")), request.body));
  const auto leaves = world.leaves();
  REQUIRE(leaves.size() == 2);
  CHECK(leaves[0].find("\"delivery_intent\"") != std::string::npos);
  CHECK(leaves[1].find("\"delivery_outcome\"") != std::string::npos);
  CHECK(leaves[1].find("\"delivered\"") != std::string::npos);
}

TEST_CASE("delivery: what policy forbids is a dead letter with its leaf, and nothing is sent") {
  Leaving world;
  world.go();
  world.emit("run_1", "order.shipped", {{"secret", true}});
  world.loop.advance(minutes(1));
  CHECK(world.client.requests.empty());
  CHECK(text_or(world.only(), "status", "") == "dead");
  CHECK(text_or(world.only(), "last_error", "").find("nothing secret leaves") != std::string::npos);
  const auto leaves = world.leaves();
  REQUIRE(leaves.size() == 1);
  CHECK(leaves[0].find("\"refused\"") != std::string::npos);
}

TEST_CASE("delivery: what policy cuts off does not leave") {
  Leaving world;
  world.go();
  world.client.answer(200, "");
  world.emit("run_1", "order.shipped", {{"cut", true}, {"name", "Ann"}});
  world.loop.advance(seconds(1));
  REQUIRE(world.client.requests.size() == 1);
  CHECK(world.client.requests[0].body.find("Ann") == std::string::npos);
  CHECK(world.client.requests[0].body.find("order.shipped") != std::string::npos);
}

TEST_CASE("delivery: a failed try is repeated later and later, under one id") {
  Leaving world;
  world.go();
  world.client.answer(500, "");
  world.client.lose();
  world.client.answer(302, "");
  world.client.answer(404, "");
  world.client.answer(200, "");
  world.emit("run_1", "order.shipped");
  world.loop.advance(minutes(2));
  REQUIRE(world.client.requests.size() == 5);
  std::set<std::string> ids;
  for (const auto& request : world.client.requests) {
    CHECK(request.url == "http://shop.example:8080/hooks");  // no redirection is followed
    ids.insert(header(request, "webhook-id"));
  }
  CHECK(ids.size() == 1);
  CHECK(text_or(world.only(), "status", "") == "delivered");
  CHECK(int_or(world.only(), "attempts", 0) == 5);
  CHECK(world.leaves().size() == 2);  // one intent and one outcome, however often it was tried
}

TEST_CASE("delivery: when its time is up it is a dead letter, which can be replayed") {
  Leaving world;
  world.go();
  world.emit("run_1", "order.shipped");
  world.loop.advance(hours(4));
  CHECK(text_or(world.only(), "status", "") == "dead");
  const std::size_t tries = world.client.requests.size();
  CHECK(tries > 10);
  world.loop.advance(hours(24));
  CHECK(world.client.requests.size() == tries);
  const std::string id(text_or(world.only(), "id", ""));
  REQUIRE(world.loop.run(world.deliveries->replay(Leaving::ctx(), id)).ok());
  CHECK(world.loop.run(world.deliveries->replay(Leaving::ctx(), id)).error().page() == 944);
  CHECK(world.loop.run(world.deliveries->replay(Leaving::ctx(), "dlv_none")).error().page() == 943);
  world.client.answer(200, "");
  world.loop.advance(minutes(1));
  CHECK(text_or(world.only(), "status", "") == "delivered");
}

TEST_CASE("delivery: a replay takes no place that fresh deliveries are bounded to") {
  Leaving world;
  world.go();
  world.client.answer(410, "");
  world.emit("run_1", "order.shipped");
  world.loop.advance(seconds(1));
  const std::string id(text_or(world.only(), "id", ""));
  world.stop();
  world.open();  // nothing is sent from here on
  for (std::size_t i = 0; i < Deliveries::pending_max; ++i) {
    world.emit("run_2", "order.shipped");
  }
  const auto refused = world.loop.run(world.deliveries->replay(Leaving::ctx(), id));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code() == Code::resource_exhausted);
  CHECK(refused.error().retry() == Retry::same_call);
  CHECK(world.rows("dead").size() == 1);  // as it was
  world.emit("run_2", "order.shipped");
  CHECK(world.rows("dead").size() == 2);
}

TEST_CASE("delivery: a receiver that is gone for good ends it at once") {
  Leaving world;
  world.go();
  world.client.answer(410, "");
  world.emit("run_1", "order.shipped");
  world.loop.advance(seconds(1));
  CHECK(world.client.requests.size() == 1);
  CHECK(text_or(world.only(), "status", "") == "dead");
}

TEST_CASE("delivery: a receiver that asks for a pause gets it") {
  Leaving world;
  world.go();
  net::Response busy = net::text_response(503, "");
  busy.headers.set("retry-after", "120");
  world.client.answers.emplace_back(std::move(busy));
  world.client.answer(200, "");
  world.emit("run_1", "order.shipped");
  world.loop.advance(seconds(119));
  CHECK(world.client.requests.size() == 1);
  world.loop.advance(seconds(5));
  CHECK(world.client.requests.size() == 2);
}

TEST_CASE("delivery: one run's order is kept, and other runs do not wait for it") {
  Leaving world;
  world.go();
  world.client.answer(500, "");  // the first of run_1
  world.client.answer(200, "");  // run_2 passes
  world.emit("run_1", "order.shipped", {{"n", 1}});
  world.emit("run_1", "refund.paid", {{"n", 2}});
  world.emit("run_2", "order.shipped", {{"n", 3}});
  world.loop.advance(milliseconds(300));
  CHECK(world.rows("delivered").size() == 1);
  for (int i = 0; i < 2; ++i) {
    world.client.answer(200, "");
  }
  world.loop.advance(minutes(1));
  CHECK(world.rows("delivered").size() == 3);
  std::vector<std::int64_t> order;
  for (const auto& request : world.client.requests) {
    const Json event = parse_json(request.body).value();
    order.push_back(int_or(*find(event, "data"), "n", 0));
  }
  CHECK(order == std::vector<std::int64_t>{1, 3, 1, 2});
}

TEST_CASE("delivery: a start goes on with what was pending, in order, and sends none twice") {
  Leaving world;
  world.emit("run_1", "order.shipped", {{"n", 1}});
  world.emit("run_1", "order.shipped", {{"n", 2}});
  world.stop();
  world.open();
  world.go();
  world.client.answer(200, "");
  world.client.answer(200, "");
  world.loop.advance(seconds(1));
  REQUIRE(world.client.requests.size() == 2);
  CHECK(world.client.requests[0].body.find("\"n\":1") != std::string::npos);
  world.stop();
  world.open();
  world.go();
  world.loop.advance(hours(1));
  CHECK(world.client.requests.size() == 2);
}

TEST_CASE("delivery: what was sent when the process ended is sent again under the same id") {
  Leaving world;
  world.go();
  world.client.wait = seconds(1);
  world.client.answer(200, "");
  world.emit("run_1", "order.shipped");
  world.loop.advance(milliseconds(500));  // it is under way
  CHECK(world.client.requests.size() == 1);
  world.stop();
  world.open();
  world.client.answers.clear();
  world.client.answer(200, "");
  world.go();
  world.loop.advance(seconds(10));
  REQUIRE(world.client.requests.size() == 2);
  CHECK(header(world.client.requests[0], "webhook-id") ==
        header(world.client.requests[1], "webhook-id"));
  CHECK(text_or(world.only(), "status", "") == "delivered");
  CHECK(world.leaves().size() == 2);
}

TEST_CASE("delivery: what a clock put off that was ahead is tried when a start finds it") {
  Leaving world;
  runtime::set_sim_wall(world.loop.clock(), hours(24 * 9));
  world.go();
  world.client.lose();
  world.emit("run_1", "order.shipped");
  world.loop.advance(milliseconds(500));
  CHECK(int_or(world.only(), "attempts", 0) == 1);
  world.stop();
  runtime::set_sim_wall(world.loop.clock(), Duration(0));
  world.open();
  world.go();
  world.client.answers.clear();
  world.loop.advance(hours(3));  // nobody answers, and its time is up after two hours from now
  CHECK(world.client.requests.size() > 5);
  CHECK(text_or(world.only(), "status", "") == "dead");
}

TEST_CASE("delivery: a clock that is set back under way puts nothing off") {
  Leaving world;
  runtime::set_sim_wall(world.loop.clock(), hours(24 * 9));
  world.go();
  world.client.lose();
  world.emit("run_1", "order.shipped");
  world.emit("run_1", "refund.paid");
  world.loop.advance(milliseconds(200));
  CHECK(world.client.requests.size() == 1);
  runtime::set_sim_wall(world.loop.clock(), Duration(0));
  world.client.answer(200, "");
  world.client.answer(200, "");
  world.loop.advance(seconds(2));
  CHECK(world.rows("delivered").size() == 2);
  runtime::set_sim_wall(world.loop.clock(), -minutes(5));  // less than the longest pause
  world.client.lose();
  world.emit("run_1", "order.shipped");
  world.loop.advance(milliseconds(200));
  runtime::set_sim_wall(world.loop.clock(), -minutes(10));
  world.client.answer(200, "");
  world.loop.advance(seconds(2));
  CHECK(world.rows("delivered").size() == 3);
}

TEST_CASE("delivery: a missing secret is waited for") {
  Leaving world;
  world.secret.clear();
  world.go();
  world.emit("run_1", "order.shipped");
  world.loop.advance(seconds(10));
  CHECK(world.client.requests.empty());
  CHECK(world.deliveries->missing_secrets(default_tenant()).size() == 1);
  world.secret = "not base64";
  CHECK(world.deliveries->missing_secrets(default_tenant()).at(0).page() == 941);
  world.secret = secret_text;
  world.client.answer(200, "");
  world.loop.advance(minutes(1));
  CHECK(text_or(world.only(), "status", "") == "delivered");
}

TEST_CASE("delivery: a receiver that is down holds up no other") {
  Leaving world;
  world.subscribe({{"subscriptions/shop.yaml", std::string(test::shop)},
                   {"subscriptions/bank.yaml", std::string(test::bank)}});
  world.go();
  for (int i = 0; i < 20; ++i) {
    world.emit(fmt::format("run_{}", i), "order.shipped");  // nobody answers
  }
  world.loop.advance(seconds(5));
  const std::size_t before = world.client.requests.size();
  CHECK(before < 20);  // the breaker is open
  JsonObject event{{"specversion", "1.0"}, {"id", "b"}, {"source", "/bank/"}, {"type", "paid"}};
  world.client.answers.clear();
  world.put("event", "run_b", Json(std::move(event)));
  world.client.answer(200, "");
  world.loop.advance(milliseconds(100));
  CHECK(world.rows("delivered").size() == 1);
  CHECK(world.client.requests.back().url == "https://bank.example/in");
}

}  // namespace
}  // namespace aios::connectors

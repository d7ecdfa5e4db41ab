// SPDX-License-Identifier: Apache-2.0
// Where messages may leave to.
#include "connectors/delivery.h"
#include "connectors/test/leaving.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace aios::connectors {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using test::Leaving;
using test::shop;

TEST_CASE("delivery: a callback goes only where a subscription allows it, still") {
  Leaving world;
  world.go();
  const auto admits = [&](std::string_view url, std::string_view secret = "") {
    return world.deliveries->admit_callback(default_tenant(), url, secret).ok();
  };
  CHECK(admits("http://shop.example:8080/callbacks"));
  CHECK(admits("http://shop.example:8080/callbacks/7?token=x"));
  CHECK(admits("http://SHOP.example:8080/callbacks/7", "shop-key"));
  CHECK_FALSE(admits("http://shop.example:8080/callbacks/7", "bank-key"));
  for (const char* other :
       {"https://shop.example:8080/callbacks/7", "http://shop.example/callbacks/7",
        "http://shop.example:8080/callbacksX", "http://shop.example:8080/hooks",
        "http://shop.example:8080/callbacks/../hooks",
        "http://shop.example:8080/callbacks/%2e%2e/a", "http://shop.example:8080/callbacks//a",
        "http://shop.example:8080/callbacks/..", "http://shop.example:8080@evil.example/callbacks/",
        "http://127.0.0.1:8080/callbacks/", "http://shop.example:8080/callbacks/#x",
        "ftp://shop.example:8080/callbacks/", ""}) {
    CAPTURE(other);
    CHECK_FALSE(admits(other));
  }
  world.client.answer(200, "");
  world.call_back("run_1", "http://shop.example:8080/callbacks/7");
  world.loop.advance(seconds(1));
  REQUIRE(world.client.requests.size() == 1);
  CHECK(world.client.requests[0].url == "http://shop.example:8080/callbacks/7");
  world.call_back("run_2", "http://shop.example:8080/elsewhere");
  world.loop.advance(minutes(1));
  CHECK(world.client.requests.size() == 1);
  CHECK(world.rows("dead").size() == 1);
}

TEST_CASE("subscriptions: every mistake is told with its place") {
  const auto errors = Deliveries::check(
      {{"subscriptions/a.yaml", "name: A b\nregion: eu\nurl: ftp://x\ntypes: [a*b]\n"},
       {"subscriptions/b.yaml", "name: b\nregion: eu\nsecret: s\n"},
       {"subscriptions/c.yaml", "name: c\nregion: eu\nsecret: s\nurl: http://x/\nextra: 1\n"},
       {"subscriptions/d.yaml", std::string(shop)},
       {"subscriptions/e.yaml", std::string(shop)}},
      JsonObject{{"url", "http://shop.example"}});
  for (const Error& error : errors) {
    CHECK(error.page() == 940);
  }
  const auto count = [&](std::string_view file) {
    return std::count_if(errors.begin(), errors.end(),
                         [&](const Error& error) { return error.file() == file; });
  };
  CHECK(count("subscriptions/a.yaml") == 4);  // name, secret, url, type
  CHECK(count("subscriptions/b.yaml") == 1);
  CHECK(count("subscriptions/c.yaml") == 2);
  CHECK(count("subscriptions/d.yaml") == 0);
  CHECK(count("subscriptions/e.yaml") == 1);
}

}  // namespace
}  // namespace aios::connectors

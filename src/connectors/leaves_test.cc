// SPDX-License-Identifier: Apache-2.0
#include "connectors/connectors.h"

#include "connectors/test/bench.h"
#include "govern/opening.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::connectors {
namespace {

using test::Bench;

TEST_CASE("connectors: intent and outcome leaves name the call and never hold its payload") {
  Bench bench;
  const auto call = bench.call("tell", {{"text", "very private words"}});
  auto prepared = bench.prepare(call);
  REQUIRE(prepared.ok());
  CHECK(prepared->intent.bytes.find("effect_intent") != std::string::npos);
  CHECK(prepared->intent.bytes.find("eff_1") != std::string::npos);
  CHECK(prepared->intent.bytes.find("private") == std::string::npos);
  bench.client.lose();
  auto performed = bench.loop.run(bench.connectors.perform(bench.ctx, std::move(*prepared)));
  CHECK(performed.leaf.bytes.find("effect_outcome") != std::string::npos);
  CHECK(performed.leaf.bytes.find("unknown") != std::string::npos);
}

TEST_CASE("connectors: the outcome's leaf commits to what the peer got and answered, no header") {
  Bench bench;
  bench.client.answer(200, R"({"id": "c-7"})");
  const auto performed = bench.perform(bench.call("open", {{"text", "my number is 0151"}}));
  REQUIRE(performed.outcome == Outcome::done);
  const net::ClientRequest& got = bench.client.requests.at(0);
  const Json leaf = parse_json(performed.leaf.bytes).value();
  const std::string request =
      to_canonical_text(JsonObject{{"method", got.method}, {"url", got.url}, {"body", got.body}})
          .value();
  const std::string answer = R"({"body":"{\"id\": \"c-7\"}","status":200})";
  CHECK(govern::check_opening(leaf, "request", performed.leaf.salt, request).ok());
  CHECK(govern::check_opening(leaf, "answer", performed.leaf.salt, answer).ok());
  CHECK_FALSE(govern::check_opening(leaf, "request", std::string(16, 's'), request).ok());
  CHECK(performed.leaf.contents.find("0151") != std::string::npos);
  CHECK(performed.leaf.contents.find("s3cret") == std::string::npos);
  CHECK(performed.leaf.bytes.find("0151") == std::string::npos);
}

TEST_CASE("connectors: the intent's leaf commits to the arguments as policy lets them through") {
  Bench bench;
  const auto prepared =
      bench.prepare(bench.call("tell", {{"mask", true}, {"text", "to ann@example.org"}}));
  REQUIRE(prepared.ok());
  const Json leaf = parse_json(prepared->intent.bytes).value();
  const std::string given = R"({"mask":true,"text":"to ann@example.org"})";
  CHECK_FALSE(govern::check_opening(leaf, "arguments", prepared->intent.salt, given).ok());
  const Json contents = parse_json(prepared->intent.contents).value();
  const std::string kept(text_or(contents, "arguments", ""));
  CHECK(kept.find("ann@") == std::string::npos);
  CHECK(govern::check_opening(leaf, "arguments", prepared->intent.salt, kept).ok());
}

TEST_CASE("connectors: a leaf says no request where certainly nothing was sent") {
  Bench bench;
  bench.client.refuse();
  const auto refused = bench.perform(bench.call("open", {{"text", "x"}}));
  CHECK(govern::parts_of(parse_json(refused.leaf.bytes).value()).empty());
  bench.client.lose();
  const auto lost = bench.perform(bench.call("open", {{"text", "x"}}));
  CHECK(govern::parts_of(parse_json(lost.leaf.bytes).value()) ==
        std::vector<std::string>{"request"});
}

}  // namespace
}  // namespace aios::connectors

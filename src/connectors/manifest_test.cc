// SPDX-License-Identifier: Apache-2.0
#include "connectors/connectors.h"
#include "connectors/test/bench.h"
#include "core/test/plugins.h"
#include "net/server.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace aios::connectors {
namespace {

using test::desk_manifest;

std::vector<Error> check(std::string text) {
  return Connectors::check({{"c.yaml", std::move(text)}},
                           JsonObject{{"url", "http://desk.example"}});
}

std::string replaced(std::string_view from, std::string_view to) {
  std::string text(desk_manifest);
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  return text;
}

TEST_CASE("manifest: a good one has no errors") {
  CHECK(check(std::string(desk_manifest)).empty());
}

TEST_CASE("manifest: that of the support desk example is good") {
  const std::string path =
      std::string(AIOS_SOURCE_DIR) + "/examples/support-desk/connectors/help-desk/connector.yaml";
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto errors = Connectors::check({{path, std::move(text)}},
                                        JsonObject{{"helpdesk_url", "http://127.0.0.1:8099"}});
  for (const Error& error : errors) {
    FAIL_CHECK(error.text());
  }
}

struct Mistake {
  const char* from;
  const char* to;
  const char* message;  ///< part of it
  std::uint32_t line;
};

TEST_CASE("manifest: each mistake is told at its place") {
  for (const Mistake& item : {
           Mistake{"kind: http", "kind: htp", "wanted one of: http", 2},
           Mistake{"name: desk", "name: Desk", "a-z", 1},
           Mistake{"region: eu\n", "", "'region' is missing", 1},
           Mistake{"region: eu", "regoin: eu", "did you mean 'region'", 3},
           Mistake{"${params.url}", "${params.uri}", "no parameter 'uri'", 4},
           Mistake{"${params.url}", "${url}", "${params.<name>}", 4},
           Mistake{"${params.url}", "ftp://x", "http://", 4},
           Mistake{"bearer: {secret", "bearer: {sercet", "did you mean 'secret'", 5},
           Mistake{"x-from", "Host", "no header that a manifest may set", 6},
           Mistake{"PT2S", "2s", "ISO 8601", 7},
           Mistake{"concurrency: 2", "concurrency: 0", "from 1 to 1000", 7},
           Mistake{"method: GET", "method: GETS", "wanted one of", 10},
           Mistake{"{email}", "{emaill}", "did you mean 'email'", 11},
           Mistake{"/customers/{email}", "customers", "does not begin", 11},
           Mistake{"effect: read", "effect: reed", "wanted one of: read", 12},
           Mistake{"type: object, required", "type: objekt, required", "", 14},
           Mistake{"'.body | {id}'", "'.body | {id'", "", 15},
           Mistake{"effect: key", "effect: none", "'keyHeader' belongs to effect: key", 28},
           Mistake{"code: already_exists", "code: alredy", "wanted an error code", 34},
           Mistake{"outcome: failed", "outcome: done", "wanted one of: failed, unknown", 35},
           Mistake{"    resultSchema: {type: [integer, string]}\n", "",
                   "effect lookup needs a 'resultSchema'", 19},
           Mistake{"resultSchema: {type: [integer", "resultSchema: {type: [intiger", "", 22},
           Mistake{"found: '.body.cases[0].id'}", "found: '.body.cases[0].id', settle: P1D}",
                   "from PT0S to PT12H", 23},
       }) {
    const auto errors = check(replaced(item.from, item.to));
    CAPTURE(std::string(item.to));
    REQUIRE_FALSE(errors.empty());
    const bool told = std::any_of(errors.begin(), errors.end(), [&item](const Error& error) {
      return error.message().find(item.message) != std::string::npos && error.line() == item.line &&
             error.file() == "c.yaml" && error.column() > 0;
    });
    CAPTURE(errors[0].text());
    CHECK(told);
  }
}

TEST_CASE("manifest: an auth that is none is one mistake") {
  for (const auto& [auth, told] :
       {std::pair("auth: oauth2", "found \"oauth2\", wanted an object with 'bearer' or 'header'"),
        std::pair("auth: {oauth2: {secret: s}}", "'oauth2' is not known here"),
        std::pair("auth: {}", "found nothing, wanted 'bearer' or 'header'")}) {
    const auto errors = check(replaced("auth: {bearer: {secret: desk-token}}", auth));
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].message().find(told) != std::string::npos);
    CHECK(errors[0].line() == 5);
  }
}

TEST_CASE("manifest: all mistakes of all files come at once") {
  const auto errors = Connectors::check({{"a.yaml", replaced("region: eu", "region: 5")},
                                         {"b.yaml", replaced("effect: read", "effect: x")},
                                         {"c.yaml", "name: [\n"},
                                         {"d.yaml", "5"}},
                                        JsonObject{{"url", "http://desk.example"}});
  for (const char* file : {"a.yaml", "b.yaml", "c.yaml", "d.yaml"}) {
    CAPTURE(file);
    CHECK(std::any_of(errors.begin(), errors.end(),
                      [file](const Error& error) { return error.file() == file; }));
  }
}

TEST_CASE(
    "manifest: two connectors of one name are refused, and a failed load keeps the old ones") {
  test::Bench bench;
  const Json good = JsonObject{{"url", "http://desk.example"}};
  const auto errors = bench.connectors.load(
      bench.ctx.tenant,
      {{"a.yaml", std::string(desk_manifest)}, {"b.yaml", std::string(desk_manifest)}}, good);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].file() == "b.yaml");
  CHECK(bench.connectors.describe(bench.ctx.tenant, "desk", "find").ok());
  CHECK(bench.connectors.load(bench.ctx.tenant, {}, good).empty());
  CHECK(bench.connectors.list(bench.ctx.tenant).empty());
}

/// Every operation of the kind's example, with a peer that never answers.
void check_deadlines(const KindEntry& entry, const Connector& made) {
  for (const std::string& operation : made.operations()) {
    CAPTURE(operation);
    test::Bench bench(entry.example);
    bench.client.wait = std::chrono::hours(1);
    auto call = bench.call(operation, {{"id", "1"}});
    call.connector = made.describe(operation)->connector;
    const Instant begun = bench.loop.clock().instant();
    const auto late = bench.perform(call);
    CHECK(bench.loop.clock().instant() - begun <= made.describe(operation)->timeout);
    CHECK(late.outcome != Outcome::done);
    REQUIRE(late.error.has_value());
    CHECK(late.error->code() == Code::deadline_exceeded);
  }
}

TEST_CASE("kinds: every kind takes its own example, refuses rubbish, and honours a deadline") {
  KindRegistry registry;
  register_all_kinds(registry);
  REQUIRE_FALSE(registry.entries().empty());
  const Json params(JsonObject{{"url", "http://127.0.0.1:1"}});
  std::set<std::string> names;
  for (const KindEntry& entry : registry.entries()) {
    CAPTURE(entry.name);
    CHECK(names.insert(entry.name).second);
    CHECK(entry.summary.ends_with('.'));
    std::vector<Error> errors;
    auto made = entry.make({}, {"example.yaml", entry.example}, params, &errors);
    CHECK(errors.empty());
    REQUIRE(made != nullptr);
    for (const std::string& operation : made->operations()) {
      REQUIRE(made->describe(operation) != nullptr);
      CHECK(made->describe(operation)->kind == entry.name);
    }
    CHECK(made->describe("no such operation") == nullptr);
    CHECK(made->limits().concurrency >= 1);
    for (const char* rubbish : {"", "5", "[]", "name: x\nkind: http\nsurprise: 1\n", "\t{"}) {
      errors.clear();
      CHECK(entry.make({}, {"bad.yaml", rubbish}, params, &errors) == nullptr);
      CHECK_FALSE(errors.empty());
    }
    check_deadlines(entry, *made);
  }
  CHECK(names == aios::test::plugin_files("connectors/kinds"));
}

Task<net::Response> keep(net::Request request) {
  JsonObject body;
  body["key"] = std::string(request.headers.get("idempotency-key"));
  body["got"] = request.body;
  co_return net::json_response(201, Json(std::move(body)));
}

Task<Performed> prepare_and_perform(Connectors* connectors, Context ctx, OperationCall call) {
  auto preparing = connectors->prepare(ctx, call);
  auto prepared = co_await std::move(preparing);
  if (!prepared.ok()) {
    Performed refusal;
    refusal.outcome = Outcome::failed;
    refusal.error = prepared.error();
    co_return refusal;
  }
  auto performing = connectors->perform(ctx, std::move(*prepared));
  auto performed = co_await std::move(performing);
  co_return performed;
}

TEST_CASE("connectors: a call reaches a real server and its result comes back") {
  runtime::Shards shards(1);
  net::Router router;
  net::Route route;
  route.method = "POST";
  route.pattern = "/v1/refunds";
  route.handler = [](const Context&, net::Request request) { return keep(std::move(request)); };
  router.add(std::move(route));
  auto server = net::start_server(shards, router, {});
  REQUIRE(server.ok());
  auto client = net::make_client(shards, {});
  test::Bench bench;  // for its guard and its metrics
  Connectors connectors(bench.guard, *client, test::Bench::secrets(), bench.metrics,
                        runtime::system_clock());
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
  REQUIRE(connectors
              .load(bench.ctx.tenant, {{"desk.yaml", std::string(desk_manifest)}},
                    JsonObject{{"url", url}})
              .empty());
  const auto call = bench.call("pay", {{"cents", 12}});
  auto performed = shards.run(0, prepare_and_perform(&connectors, bench.ctx, call));
  CHECK(performed.outcome == Outcome::done);
  CHECK(to_text(performed.result) == R"({"key":"eff_1","got":"{\"cents\":12}"})");
  (*server)->stop(Duration(0));
  performed = shards.run(0, prepare_and_perform(&connectors, bench.ctx, call));
  CHECK(performed.outcome == Outcome::failed);
  CHECK(performed.error->retry() == Retry::same_call);
}

}  // namespace
}  // namespace aios::connectors

// SPDX-License-Identifier: Apache-2.0
// What must hold for every operation of the control API, by running over the rows.
#include "api/detail/operation.h"
#include "api/test/house.h"

#include "runtime/task_group.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

namespace aios::api {
namespace {

using test::House;

/// A path that the pattern takes.
std::string path_of(std::string pattern) {
  for (std::size_t at = pattern.find('{'); at != std::string::npos; at = pattern.find('{', at)) {
    pattern.replace(at, pattern.find('}') - at + 1, "none");
  }
  return pattern;
}

Json problem_of(const net::Response& answer) {
  CHECK(answer.headers.get("content-type").find("application/problem+json") == 0);
  auto document = parse_json(answer.body);
  return document.ok() ? std::move(*document) : Json();
}

/// "AIOS-1301": the end of the problem's type.
std::string page_of(const net::Response& answer) {
  const Json problem = problem_of(answer);
  const std::string_view type = text_or(problem, "type", "");
  return std::string(type.substr(type.rfind('/') + 1));
}

TEST_CASE("api: every operation has a name of its own and a sentence") {
  House house;
  std::set<std::string> names;
  int described = 0;
  for (const net::Route& route : house.router.routes()) {
    CAPTURE(route.pattern);
    if (route.operation_id.empty()) {
      continue;
    }
    ++described;
    CHECK(names.insert(route.operation_id).second);
    CHECK(route.summary.ends_with('.'));
    CHECK(!route.summary.starts_with('.'));
    const bool takes_body = route.method == "POST" || route.method == "PUT";
    CHECK((takes_body || route.request_schema.is_null()));
  }
  CHECK(described >= 25);
}

TEST_CASE("api: the OpenAPI document has each described route once, with its parameters") {
  House house;
  const Json document = openapi_document(house.router);
  CHECK(text_or(document, "openapi", "") == "3.1.0");
  const JsonObject& paths = find(document, "paths")->get_object();
  std::size_t listed = 0;
  for (const auto& path : paths) {
    listed += path.value().get_object().size();
  }
  std::size_t described = 0;
  for (const net::Route& route : house.router.routes()) {
    CAPTURE(route.pattern);
    CHECK(paths.contains(route.pattern) == !route.operation_id.empty());
    if (route.operation_id.empty()) {
      continue;
    }
    ++described;
    std::string method = route.method;
    for (char& c : method) {
      c = static_cast<char>(c + 32);
    }
    const Json* operation = find(paths.at(route.pattern), method);
    REQUIRE(operation != nullptr);
    CHECK(text_or(*operation, "operationId", "") == route.operation_id);
    CHECK((find(*operation, "requestBody") == nullptr) == route.request_schema.is_null());
    const Json* parameters = find(*operation, "parameters");
    const auto braces = std::count(route.pattern.begin(), route.pattern.end(), '{');
    std::ptrdiff_t in_path = 0;
    for (const Json& one : parameters == nullptr ? JsonArray() : parameters->get_array()) {
      in_path += text_or(one, "in", "") == "path" ? 1 : 0;
    }
    CHECK(in_path == braces);
    CHECK(find(*operation, "responses")->get_object().contains("default"));
  }
  CHECK(listed == described);
}

TEST_CASE("api: every described operation refuses a caller without a key and one without roles") {
  House house;
  for (const net::Route& route : house.router.routes()) {
    if (route.operation_id.empty() || route.access == net::Access::anyone) {
      continue;
    }
    CAPTURE(route.operation_id);
    Context nobody = House::system();
    nobody.principal = nullptr;
    const auto stranger = house.send(nobody, route.method, path_of(route.pattern));
    CHECK(stranger.status == 401);
    CHECK(page_of(stranger) == "AIOS-0510");
    const auto guest =
        house.send(House::with_roles({"guest"}), route.method, path_of(route.pattern));
    CHECK(guest.status == 403);
    CHECK(page_of(guest) == "AIOS-0511");
    CHECK(text_or(problem_of(guest), "detail", "").find("wanted one of [admin") !=
          std::string::npos);
  }
}

TEST_CASE("api: a body that is no object, or no JSON, is said to be so") {
  House house;
  int asked = 0;
  for (const net::Route& route : house.router.routes()) {
    const Json* wanted = find(route.request_schema, "required");
    if (route.operation_id.empty() || wanted == nullptr) {
      continue;
    }
    CAPTURE(route.operation_id);
    ++asked;
    const std::string path = path_of(route.pattern);
    const auto list = house.send(House::system(), route.method, path, "[]");
    CHECK(list.status == 400);
    CHECK(page_of(list) == "AIOS-1301");
    const auto empty = house.send(House::system(), route.method, path, "{}");
    CHECK(empty.status == 400);
    CHECK(page_of(empty) == "AIOS-1301");
    const std::string member(view(wanted->get_array().front().get_string()));
    CHECK(text_or(problem_of(empty), "detail", "").find("'" + member + "'") != std::string::npos);
    const auto broken = house.send(House::system(), route.method, path, "{\"a\": ");
    CHECK(broken.status == 400);
    CHECK(house.send(House::system(), route.method, path, "").status == 400);
  }
  CHECK(asked >= 7);
}

TEST_CASE("api: what is not there is 404 with the page of its kind") {
  House house;
  const std::pair<const char*, const char*> wanted[] = {{"/api/v1/runs/run_none", "AIOS-1012"},
                                                        {"/api/v1/reviews/rev_none", "AIOS-0600"}};
  for (const auto& [path, code] : wanted) {
    CAPTURE(path);
    const auto answer = house.send(House::system(), "GET", path);
    CHECK(answer.status == 404);
    CHECK(page_of(answer) == code);
  }
  CHECK(house.send(House::system(), "GET", "/api/v1/nothing").status == 404);
  const auto wrong_method = house.send(House::system(), "DELETE", "/api/v1/runs");
  CHECK(wrong_method.status == 405);
  CHECK(wrong_method.headers.get("allow").find("POST") != std::string_view::npos);
}

TEST_CASE("api: a key opens what its roles allow, revoked it opens nothing") {
  House house;
  const auto made = house.send(House::system(), "POST", "/api/v1/keys",
                               R"({"name": "reader", "roles": ["auditor"]})");
  REQUIRE(made.status == 201);
  const auto elsewhere = house.send(House::system(), "POST", "/api/v1/keys",
                                    R"({"name": "x", "roles": ["admin"], "tenant": "acme"})");
  CHECK(elsewhere.status == 400);  // it would be an admin of the caller's own tenant
  CHECK(elsewhere.body.find("'tenant'") != std::string::npos);
  const Json key = parse_json(made.body).value();
  const auto ask = [&](const std::string& header) {
    Context nobody = House::system();
    nobody.principal = nullptr;
    net::Request request;
    request.method = "GET";
    request.target = "/api/v1/runs";
    request.headers.add("authorization", header);
    return house.loop.run(house.router.dispatch(nobody, request)).status;
  };
  const std::string secret(text_or(key, "secret", ""));
  CHECK(ask("Bearer " + secret) == 200);
  CHECK(ask("bEARER  " + secret + " ") == 200);
  CHECK(ask("Basic " + secret) == 401);
  CHECK(ask("Bearer " + secret.substr(1)) == 401);
  CHECK(ask("Bearer") == 401);
  CHECK(ask(secret) == 401);
  const std::string id(text_or(key, "id", ""));
  CHECK(house.send(House::system(), "DELETE", "/api/v1/keys/" + id).status == 200);
  CHECK(ask("Bearer " + secret) == 401);
  CHECK(house.send(House::system(), "GET", "/api/v1/keys").body.find(secret) == std::string::npos);
}

namespace {

Task<void> answered(House* house, net::Request request, net::Response* out) {
  Context nobody = House::system();
  nobody.principal = nullptr;
  *out = co_await house->router.dispatch(std::move(nobody), std::move(request));
}

Task<void> revoke_in_a_second(House* house, std::string key_id) {
  const Context ctx = House::system();
  auto rested = co_await runtime::sleep_for(ctx, std::chrono::seconds(1));
  CHECK(rested.ok());
  auto done = co_await house->identity->revoke(ctx, std::move(key_id));
  CHECK(done.ok());
}

workflow::DefinitionFile resting() {
  return {"workflows/slow.yaml",
          "document: {dsl: 1.0.3, namespace: t, name: slow, version: 1.0.0}\n"
          "do:\n  - rest: {wait: PT1H}\n"};
}

Task<void> send_beside(ingress::Ingress* ingress, TenantId tenant) {
  CHECK_FALSE(ingress->take_share(tenant, 100));
  co_return;
}

}  // namespace

TEST_CASE("api: who waits for a task and is revoked meanwhile gets nothing of it") {
  House house;
  const workflow::DefinitionFile slow = resting();
  REQUIRE(house.engine->install(default_tenant(), {slow}).empty());
  for (const bool revoked : {false, true}) {
    CAPTURE(revoked);
    const auto made = house.send(House::system(), "POST", "/api/v1/keys",
                                 R"({"name": "w", "roles": ["operator", "auditor"]})");
    REQUIRE(made.status == 201);
    const Json key = parse_json(made.body).value();
    net::Request request;
    request.method = "POST";
    request.target = "/api/v1/tasks?wait=8s";
    REQUIRE(net::parse_target(request.target, &request).ok());
    request.headers.add("authorization", fmt::format("Bearer {}", text_or(key, "secret", "")));
    request.body = R"({"workflow": "t/slow", "input": {}})";
    net::Response answer;
    runtime::TaskGroup group(house.loop);
    group.spawn(answered(&house, std::move(request), &answer));
    if (revoked) {
      group.spawn(revoke_in_a_second(&house, std::string(text_or(key, "id", ""))));
    }
    house.loop.run(group.join());
    CHECK(answer.status == (revoked ? 401 : 202));
    CHECK((answer.body.find("run_") == std::string::npos) == revoked);
  }
}

TEST_CASE(
    "api: who has its part of the backlog starts neither a run nor a task while others send") {
  House house;
  const workflow::DefinitionFile slow = resting();
  REQUIRE(house.engine->install(default_tenant(), {slow}).empty());
  observe::Metrics metrics;
  ingress::IngressServices doors{house.store.get(), &house.guard, house.engine.get(), &metrics};
  doors.bounds.delta_share = 1e-9;  // any byte is more than a tenant's part
  ingress::Ingress ingress(doors);
  ApiServices services = house.services;
  services.ingress = &ingress;
  net::Router router;
  mount_api(router, services);
  const auto start = [&](const std::string& path) {
    net::Request request;
    request.method = "POST";
    request.target = path;
    REQUIRE(net::parse_target(request.target, &request).ok());
    request.body = R"({"workflow": "t/slow", "input": {}})";
    return house.loop.run(router.dispatch(House::system(), std::move(request)));
  };
  for (const char* path : {"/api/v1/runs", "/api/v1/tasks"}) {
    CHECK(start(path).status / 100 == 2);  // it is alone
  }
  house.loop.run(send_beside(&ingress, TenantId::parse("beta").value()));
  for (const char* path : {"/api/v1/runs", "/api/v1/tasks"}) {
    const auto refused = start(path);
    CHECK(refused.status == 503);
    CHECK(page_of(refused) == "AIOS-1207");
    CHECK(refused.headers.has("retry-after"));
  }
}

TEST_CASE("api: readiness follows the flag, health does not") {
  House house;
  Context nobody;
  CHECK(house.send(nobody, "GET", "/readyz").status == 200);
  house.damaged = true;
  const auto damaged = house.send(nobody, "GET", "/readyz");
  CHECK(damaged.status == 503);
  CHECK(damaged.body.find("cannot be read") != std::string::npos);
  house.damaged = false;
  CHECK(house.send(nobody, "GET", "/readyz").status == 200);
  house.ready = false;
  CHECK(house.send(nobody, "GET", "/readyz").status == 503);
  CHECK(house.send(nobody, "GET", "/healthz").status == 200);
}

}  // namespace
}  // namespace aios::api

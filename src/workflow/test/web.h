// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/test/web: a World whose `call: http` reaches a web that answers as a test says.

#include "connectors/connectors.h"
#include "workflow/test/world.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aios::workflow::test {

class Web final : public net::Client {
 public:
  using Answer = std::function<Result<net::Response>(const net::ClientRequest&)>;
  Task<Result<net::Response>> send(Context /*ctx*/, net::ClientRequest request) override {
    requests.push_back(std::move(request));
    co_return answer(requests.back());
  }
  Answer answer = [](const net::ClientRequest&) { return says(200, "{}"); };
  std::vector<net::ClientRequest> requests;

  static Result<net::Response> says(int status, std::string body,
                                    std::string type = "application/json") {
    net::Response response;
    response.status = status;
    response.headers.set("content-type", type);
    response.body = std::move(body);
    return response;
  }
  static Result<net::Response> lost() {
    return Error(Code::unavailable, "connection reset by the peer", Retry::whole_step).page(313);
  }
};

inline constexpr std::string_view allow_all = R"(package aios.connector_egress
import rego.v1
default allow := true
)";

struct WebWorld {
  explicit WebWorld(std::vector<std::string> origins = {"https://api.example.com"},
                    std::string_view policy = allow_all)
      : connectors(world.guard, web, secrets(), metrics, world.executor.clock()) {
    register_all_functions(world.registry);
    world.services.functions.connectors = &connectors;
    const auto loaded = world.guard.load(
        default_tenant(), {{"policies/egress.rego", std::string(policy)}}, JsonObject());
    AIOS_ASSERT(loaded.ok());
    declare(std::move(origins));
  }
  ~WebWorld() { own.reset(); }
  WebWorld(const WebWorld&) = delete;
  WebWorld& operator=(const WebWorld&) = delete;
  void declare(std::vector<std::string> origins) {
    std::vector<connectors::Egress> egress;
    for (auto& origin : origins) {
      egress.push_back({.origin = std::move(origin), .region = "eu"});
    }
    auto staged = connectors.stage(default_tenant(), {}, JsonObject(), egress);
    AIOS_ASSERT(staged.errors.empty());
    staged.put();
  }
  static connectors::SecretSource secrets() {
    return [](const TenantId&, std::string_view name) -> Result<std::string> {
      if (name == "login") {
        return std::string("ann:s3cret");
      }
      return Error(Code::not_found, "there is no such secret");
    };
  }

  std::unique_ptr<World> own = std::make_unique<World>();  ///< its engines end before the rest
  World& world = *own;
  Web web;
  observe::Metrics metrics;
  connectors::Connectors connectors;
};

}  // namespace aios::workflow::test

// SPDX-License-Identifier: Apache-2.0
#include "app/tenant_reach.h"

#include "runtime/sim.h"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

namespace aios::app {
namespace {

/// Every host is a private one.
class Inside final : public net::Client {
 public:
  explicit Inside(std::vector<net::Reach>* asked) : asked_(asked) {}
  Task<Result<net::Response>> send(Context /*ctx*/, net::ClientRequest request) override {
    asked_->push_back(request.reach);
    if (request.reach == net::Reach::public_only) {
      co_return Error(Code::permission_denied, "the host has only private addresses").page(1064);
    }
    co_return net::text_response(200, "in");
  }

 private:
  std::vector<net::Reach>* asked_;
};

struct Calls {
  Result<net::Response> call(std::string_view tenant, net::Reach reach = net::Reach::anywhere) {
    net::ClientRequest request;
    request.url = "http://127.0.0.1:1/";
    request.reach = reach;
    const Context ctx = system_context(TenantId::parse(tenant).value(), "test");
    return loop.run(client->send(ctx, std::move(request)));
  }
  runtime::SimExecutor loop;
  std::vector<net::Reach> asked;
  std::unique_ptr<net::Client> client =
      hold_tenants(std::make_unique<Inside>(&asked), read_tenants("acme, shop").value());
};

TEST_CASE("tenant reach: a further tenant reaches no private address, unless the server names it") {
  Calls calls;
  CHECK(calls.call("default").ok());
  CHECK(calls.call("acme").ok());
  CHECK(calls.call("shop").ok());
  const auto refused = calls.call("beta");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 1481);
  CHECK(refused.error().code() == Code::permission_denied);
  CHECK(net::sent_of(refused.error()) == net::Sent::nothing);
  CHECK(refused.error().text().find("'beta'") != std::string::npos);
}

TEST_CASE("tenant reach: nobody gets more than was asked for") {
  Calls calls;
  for (const char* tenant : {"default", "acme"}) {
    const auto refused = calls.call(tenant, net::Reach::public_only);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().page() == 1064);
  }
}

TEST_CASE("tenant reach: a list of tenants is read, or refused with what is wanted") {
  CHECK(read_tenants("")->empty());
  CHECK(read_tenants(" acme ,, shop")->size() == 2);
  CHECK_FALSE(refuse_tenants("acme,shop").has_value());
  CHECK(refuse_tenants("Acme Ltd").has_value());
}

}  // namespace
}  // namespace aios::app

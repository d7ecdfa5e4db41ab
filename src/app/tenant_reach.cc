// SPDX-License-Identifier: Apache-2.0
#include "app/tenant_reach.h"

#include "core/text.h"

#include <fmt/format.h>

#include <utility>

namespace aios::app {
namespace {

constexpr int page_beyond = 1064;  // of net::Client
constexpr int page_tenant = 1481;

class TenantReach final : public net::Client {
 public:
  TenantReach(std::unique_ptr<net::Client> client, std::set<TenantId> allowed)
      : client_(std::move(client)),
        allowed_(std::move(allowed)) {}

  Task<Result<net::Response>> send(Context ctx, net::ClientRequest request) override {
    const TenantId tenant = ctx.tenant;
    const bool held = tenant != default_tenant() && !allowed_.contains(tenant);
    if (held) {
      request.reach = net::Reach::public_only;
    }
    auto response = co_await client_->send(std::move(ctx), std::move(request));
    if (!response.ok() && held && response.error().page() == page_beyond) {
      co_return Error(Code::permission_denied,
                      fmt::format("the host has only private addresses, and tenant '{}' reaches "
                                  "public ones alone, as 'private_tenants' of the server has it",
                                  tenant.text()))
          .page(page_tenant);
    }
    co_return response;
  }

 private:
  std::unique_ptr<net::Client> client_;
  std::set<TenantId> allowed_;
};

}  // namespace

Result<std::set<TenantId>> read_tenants(const std::string& text) {
  std::set<TenantId> out;
  for (const std::string_view part : split(text, ',')) {
    const std::string_view name = trim(part);
    if (name.empty()) {
      continue;
    }
    auto tenant = TenantId::parse(name);
    if (!tenant.ok()) {
      return std::move(tenant).error();
    }
    out.insert(std::move(*tenant));
  }
  return out;
}

std::optional<std::string> refuse_tenants(const std::string& value) {
  return read_tenants(value).ok()
             ? std::nullopt
             : std::optional<std::string>("names of tenants, such as acme,shop");
}

std::unique_ptr<net::Client> hold_tenants(std::unique_ptr<net::Client> client,
                                          std::set<TenantId> allowed) {
  return std::make_unique<TenantReach>(std::move(client), std::move(allowed));
}

}  // namespace aios::app

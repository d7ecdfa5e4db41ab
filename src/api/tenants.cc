// SPDX-License-Identifier: Apache-2.0
// Who shares the installation: made and listed by an admin of the first tenant.
#include "api/detail/operation.h"

#include "runtime/executor.h"

#include "govern/tenants.h"

#include <algorithm>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

JsonObject tenant_json(const govern::TenantInfo& tenant) {
  JsonObject out{{"name", tenant.id.text()}, {"region", tenant.region}};
  if (tenant.created.ns != 0) {
    out["created"] = to_rfc3339(tenant.created);
  }
  return out;
}

Task<Answer> list_tenants(const ApiServices& services, Context ctx, net::Request) {
  auto tenants = services.tenants->list(ctx);
  if (!tenants.ok()) {
    co_return std::move(tenants).error();
  }
  JsonArray items;
  for (const auto& tenant : *tenants) {
    items.push_back(tenant_json(tenant));
  }
  co_return net::json_response(200, JsonObject{{"items", std::move(items)}});
}

bool has_admin(const govern::Identity& identity, const TenantId& tenant) {
  const auto keys = identity.list(tenant);
  const Time now = runtime::Executor::current()->clock().now();
  return std::any_of(keys.begin(), keys.end(), [now](const govern::KeyInfo& key) {
    return key.valid_at(now) &&
           std::find(key.roles.begin(), key.roles.end(), "admin") != key.roles.end();
  });
}

/// A tenant that nobody can enter yet gets its first key, also when it was made by a request that
/// ended before its key was made, and when all its keys are lost.
Task<Answer> create_tenant(const ApiServices& services, Context ctx, net::Request request) {
  auto asked = body_with_text(request, "name");
  if (!asked.ok()) {
    co_return std::move(asked).error();
  }
  auto region = text_member(asked->body, "region");
  if (!region.ok()) {
    co_return std::move(region).error();
  }
  auto made = co_await services.tenants->create(ctx, std::move(asked->text), std::move(*region));
  if (!made.ok()) {
    co_return std::move(made).error();
  }
  JsonObject out = tenant_json(*made);
  Context inside = ctx;
  inside.tenant = made->id;
  if (has_admin(*services.identity, made->id)) {
    co_return net::json_response(200, std::move(out));
  }
  std::vector<std::string> roles = {"admin"};
  auto key = co_await services.identity->create(inside, "first key", std::move(roles));
  if (!key.ok()) {
    co_return std::move(key).error();
  }
  out["key"] = JsonObject{{"id", key->info.id}, {"secret", key->secret}};
  co_return net::json_response(201, std::move(out));
}

}  // namespace

void mount_tenants(net::Router& router, const ApiServices& services) {
  using govern::Action;
  const Operation operations[] = {
      {"GET", "/api/v1/tenants", "listTenants", "Tenants that share this installation.",
       Action::manage_tenants, list_tenants, "", R"({"type": "object", "required": ["items"]})"},
      {"POST", "/api/v1/tenants", "createTenant",
       "Makes a tenant and the first key of its admin; the key's secret is shown once, here. A "
       "tenant that is there keeps its region, and gets a key only when no admin can enter it.",
       Action::manage_tenants, create_tenant,
       R"({"type": "object", "required": ["name", "region"], "properties": {
           "name": {"type": "string"}, "region": {"type": "string"}}})",
       R"({"type": "object", "required": ["name", "region"], "properties": {
           "key": {"type": "object", "required": ["id", "secret"]}}})"},
  };
  for (const auto& operation : operations) {
    add(router, services, operation);
  }
}

}  // namespace aios::api

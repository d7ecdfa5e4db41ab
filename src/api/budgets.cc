// SPDX-License-Identifier: Apache-2.0
#include "api/detail/operation.h"

#include "runtime/executor.h"

namespace aios::api {
namespace {

Task<Result<net::Response>> list_budgets(const ApiServices& services, Context ctx, net::Request) {
  const Time now = runtime::Executor::current()->clock().now();
  auto states = co_await services.budgets->list(std::move(ctx), services.store, now);
  if (!states.ok()) {
    co_return std::move(states).error();
  }
  JsonArray items;
  for (const govern::BudgetState& state : *states) {
    items.push_back(state.to_json());
  }
  co_return net::json_response(200, JsonObject{{"items", std::move(items)}});
}

constexpr std::string_view budgets_schema = R"({
  "type": "object", "required": ["items"],
  "properties": {"items": {"type": "array", "items": {
    "type": "object",
    "required": ["name", "scope", "currency", "window", "from", "until", "limit_nano",
                 "spent_nano", "reserved_nano", "limit", "spent", "reserved", "left"],
    "properties": {
      "name": {"type": "string"}, "scope": {"enum": ["tenant", "workflow"]},
      "workflow": {"type": "string"}, "currency": {"type": "string"},
      "window": {"enum": ["day", "month"]},
      "from": {"type": "string"},
      "until": {"type": "string"},
      "limit_nano": {"type": "integer"}, "spent_nano": {"type": "integer"},
      "reserved_nano": {"type": "integer"},
      "limit": {"type": "string"}, "spent": {"type": "string"}, "reserved": {"type": "string"},
      "left": {"type": "string"}}}}}})";

}  // namespace

void mount_budgets(net::Router& router, const ApiServices& services) {
  add(router, services,
      {"GET", "/api/v1/budgets", "listBudgets",
       "The deployed bundle's budgets in their present windows: granted, spent, reserved for calls "
       "under way, left.",
       govern::Action::read_runs, list_budgets, "", budgets_schema});
}

}  // namespace aios::api

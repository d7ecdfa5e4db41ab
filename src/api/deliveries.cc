// SPDX-License-Identifier: Apache-2.0
// Deliveries: callbacks and events on their way out, and who subscribed to them.
#include "api/detail/operation.h"

#include <fmt/format.h>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

constexpr std::uint32_t replayed_max = 1'000;

bool whole(const Context& ctx) {
  return govern::Identity::allow(ctx, govern::Action::read_payloads).ok();
}

Task<Answer> list_deliveries(const ApiServices& services, Context ctx, net::Request request) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.status = query_text(request, "status");
  query.label = query_text(request, "receiver");
  query.after = query_text(request, "after");
  query.limit = limit_of(request);
  query.newest_first = true;
  const std::uint32_t limit = query.limit;
  auto rows = co_await services.deliveries->list(ctx, std::move(query));
  if (!rows.ok()) {
    co_return std::move(rows).error();
  }
  JsonArray items;
  for (const store::StreamRow& row : *rows) {
    items.push_back(connectors::Deliveries::to_json(row, connectors::Shown::clear));
  }
  const std::string last = rows->empty() ? std::string() : rows->back().id;
  co_return net::json_response(200, page_of(std::move(items), last, limit));
}

Task<Answer> get_delivery(const ApiServices& services, Context ctx, net::Request request) {
  std::string id(request.path_value("id"));
  const auto shown = whole(ctx) ? connectors::Shown::all : connectors::Shown::clear;
  auto delivery = co_await services.deliveries->get(ctx, std::move(id), shown);
  if (!delivery.ok()) {
    co_return std::move(delivery).error();
  }
  co_return net::json_response(200, *delivery);
}

Task<Answer> replay_delivery(const ApiServices& services, Context ctx, net::Request request) {
  const std::string id(request.path_value("id"));
  auto done = co_await services.deliveries->replay(ctx, id);
  if (!done.ok()) {
    co_return std::move(done).error();
  }
  co_return net::json_response(200, JsonObject{{"id", id}, {"status", "pending"}});
}

Task<Answer> replay_all(const ApiServices& services, Context ctx, net::Request request) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.status = "dead";
  query.label = query_text(request, "receiver");
  query.limit = replayed_max;
  query.with_state = false;
  auto rows = co_await services.deliveries->list(ctx, std::move(query));
  if (!rows.ok()) {
    co_return std::move(rows).error();
  }
  std::uint64_t replayed = 0;
  for (const store::StreamRow& row : *rows) {
    auto done = co_await services.deliveries->replay(ctx, row.id);
    replayed += done.ok() ? 1 : 0;
    if (!done.ok() && done.error().code() != Code::failed_precondition) {
      co_return std::move(done).error();
    }
  }
  const bool more = rows->size() == replayed_max;
  co_return net::json_response(200, JsonObject{{"replayed", replayed}, {"more", more}});
}

Task<Answer> list_subscriptions(const ApiServices& services, Context ctx, net::Request) {
  JsonArray items;
  for (const auto& subscription : services.deliveries->subscriptions(ctx.tenant)) {
    items.push_back(subscription.to_json());
  }
  co_return net::json_response(200, JsonObject{{"items", std::move(items)}});
}

constexpr QueryParameter receiver_parameter = {.name = "receiver",
                                               .summary = "Only those for this subscription."};
constexpr QueryParameter list_query[] = {{.name = "status",
                                          .summary = "Only deliveries with this status.",
                                          .choices = "pending|delivered|dead"},
                                         receiver_parameter,
                                         after_parameter,
                                         limit_parameter};
constexpr QueryParameter replay_query[] = {receiver_parameter};

}  // namespace

void mount_deliveries(net::Router& router, const ApiServices& services) {
  using govern::Action;
  const Operation operations[] = {
      {"GET", "/api/v1/deliveries", "listDeliveries",
       "Callbacks and events that leave, newest first.", Action::read_runs, list_deliveries, "",
       page_schema, list_query},
      {"GET", "/api/v1/deliveries/{id}", "getDelivery", "One delivery.", Action::read_runs,
       get_delivery, "", object_schema},
      {"POST", "/api/v1/deliveries/{id}/replay", "replayDelivery",
       "Makes a dead delivery pending again.", Action::settle_runs, replay_delivery, "",
       object_schema},
      {"POST", "/api/v1/deliveries/replay", "replayDeliveries",
       "Makes dead deliveries pending again, at most 1,000 with one call.", Action::settle_runs,
       replay_all, "", object_schema, replay_query},
      {"GET", "/api/v1/subscriptions", "listSubscriptions",
       "Who events and callbacks are sent to, as the bundle declares it.", Action::read_runs,
       list_subscriptions, "", page_schema},
  };
  for (const auto& operation : operations) {
    add(router, services, operation);
  }
}

}  // namespace aios::api

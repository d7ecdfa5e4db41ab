// SPDX-License-Identifier: Apache-2.0
// Deliveries: callbacks and events on their way out, and who subscribed to them.
#include "api/detail/operation.h"

#include <fmt/format.h>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

constexpr std::uint32_t replayed_page = 100;
constexpr std::uint64_t replayed_max = 1'000;  // with one call, and so many looked at for it:
constexpr std::uint64_t looked_max = 10'000;

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

/// Of a replay: a receiver that has no room has a page of its own.
Error told(Error error) {
  const bool full = error.code() == Code::resource_exhausted && error.page() == 0;
  return full ? std::move(error).page(1330) : error;
}

Task<Answer> replay_delivery(const ApiServices& services, Context ctx, net::Request request) {
  const std::string id(request.path_value("id"));
  auto done = co_await services.deliveries->replay(ctx, id);
  if (!done.ok()) {
    co_return told(std::move(done).error());
  }
  co_return net::json_response(200, JsonObject{{"id", id}, {"status", "pending"}});
}

struct Replayed {
  std::uint64_t count = 0;
  std::uint64_t looked_at = 0;
  std::optional<Error> stopped;  ///< what ended it before its bound
};

/// Of a page of dead ones those that can be: not what was erased, or cannot be read.
Task<Replayed> replay_page(const ApiServices& services, Context ctx,
                           std::vector<store::StreamRow> rows) {
  Replayed out;
  for (const store::StreamRow& row : rows) {
    ++out.looked_at;
    if (row.erased) {
      continue;
    }
    auto done = co_await services.deliveries->replay(ctx, row.id);
    out.count += done.ok() ? 1 : 0;
    if (!done.ok() && done.error().retry() != Retry::never) {
      --out.looked_at;  // the next call begins with it
      out.stopped = told(std::move(done).error());
      break;
    }
  }
  co_return out;
}

/// Page after page, so that those that stay dead stand before no other.
Task<Answer> replay_all(const ApiServices& services, Context ctx, net::Request request) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.status = "dead";
  query.label = query_text(request, "receiver");
  query.after = query_text(request, "after");
  query.limit = replayed_page;
  query.with_state = false;
  std::uint64_t replayed = 0;
  std::uint64_t looked_at = 0;
  bool more = true;
  std::optional<Error> stopped;
  while (more && !stopped && replayed + replayed_page <= replayed_max && looked_at < looked_max) {
    auto rows = co_await services.deliveries->list(ctx, query);
    if (!rows.ok()) {
      co_return std::move(rows).error();
    }
    const std::vector<store::StreamRow> page = *rows;
    auto replaying = replay_page(services, ctx, std::move(*rows));
    Replayed done = co_await std::move(replaying);
    if (done.looked_at > 0) {
      query.after = page[done.looked_at - 1].id;
    }
    replayed += done.count;
    looked_at += done.looked_at;
    stopped = std::move(done.stopped);
    more = stopped.has_value() || page.size() == replayed_page;
  }
  if (stopped && replayed == 0) {
    co_return std::move(*stopped);
  }
  JsonObject out{{"replayed", replayed}, {"more", more}};
  if (more) {
    out["next"] = query.after;
  }
  co_return net::json_response(200, std::move(out));
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
constexpr QueryParameter replay_query[] = {receiver_parameter, after_parameter};

constexpr std::string_view replayed_schema = R"({
  "type": "object", "required": ["replayed", "more"],
  "properties": {"replayed": {"type": "integer"}, "more": {"type": "boolean"},
                 "next": {"type": "string"}}})";

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
       "Makes dead deliveries pending again, oldest first, at most 1,000 with one call; where "
       "there "
       "is more, `next` is the `after` of the next call.",
       Action::settle_runs, replay_all, "", replayed_schema, replay_query},
      {"GET", "/api/v1/subscriptions", "listSubscriptions",
       "Who events and callbacks are sent to, as the bundle declares it.", Action::read_runs,
       list_subscriptions, "", page_schema},
  };
  for (const auto& operation : operations) {
    add(router, services, operation);
  }
}

}  // namespace aios::api

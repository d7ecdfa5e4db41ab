// SPDX-License-Identifier: Apache-2.0
#include "api/detail/operation.h"

#include "api/error_pages.h"

#include <fmt/format.h>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

/// The page, what it is about, and the source are no payload; the reason itself may quote some.
void tell_why(const ingress::DeadLetter& dead, bool payloads, JsonObject* item) {
  (*item)["why"] =
      dead.page == 0 ? std::string("No workflow is started by its type") : error_title(dead.page);
  if (dead.page != 0) {
    (*item)["page"] = fmt::format("AIOS-{:04}", dead.page);
  }
  if (!dead.source.empty()) {
    (*item)["via"] = dead.source;
  }
  if (payloads && !dead.reason.empty()) {
    (*item)["reason"] = dead.reason;
  }
}

Task<Answer> list_events(const ApiServices& services, Context ctx, net::Request request) {
  const std::uint32_t limit = limit_of(request);
  ingress::Ingress::Wanted wanted;
  wanted.status = query_text(request, "status");
  const bool only_dead = wanted.status == "dead_letter";
  wanted.type = query_text(request, "type");
  wanted.after = query_text(request, "after");
  wanted.limit = limit;
  auto rows = co_await services.ingress->list(ctx, std::move(wanted));
  if (!rows.ok()) {
    co_return std::move(rows).error();
  }
  JsonArray items;
  const bool payloads = govern::Identity::allow(ctx, govern::Action::read_payloads).ok();
  for (const auto& row : *rows) {
    JsonObject item{{"id", row.id},
                    {"type", row.label},
                    {"status", row.status},
                    {"received", to_rfc3339(row.updated)}};
    if (only_dead && !row.erased) {
      tell_why(ingress::dead_letter_of(row), payloads, &item);
    }
    items.push_back(std::move(item));
  }
  const std::string last = rows->empty() ? "" : rows->back().id;
  co_return net::json_response(200, page_of(std::move(items), last, limit));
}

Task<Answer> get_event(const ApiServices& services, Context ctx, net::Request request) {
  std::string id(request.path_value("id"));
  auto event = co_await services.ingress->get(ctx, std::move(id));
  if (!event.ok()) {
    co_return std::move(event).error();
  }
  co_return net::json_response(200, *event);
}

Task<Answer> replay_event(const ApiServices& services, Context ctx, net::Request request) {
  std::string id(request.path_value("id"));
  auto replayed = co_await services.ingress->replay(ctx, std::move(id));
  if (!replayed.ok()) {
    co_return std::move(replayed).error();
  }
  co_return net::json_response(200, replayed->to_json());
}

constexpr QueryParameter list_query[] = {{.name = "status",
                                          .summary = "Only events with this status.",
                                          .choices = "accepted|dead_letter|replayed"},
                                         {.name = "type", .summary = "Only events of this type."},
                                         after_parameter,
                                         limit_parameter};

}  // namespace

void mount_events(net::Router& router, const ApiServices& services) {
  using govern::Action;
  const Operation operations[] = {
      {"GET", "/api/v1/events", "listEvents", "Events of the inbox, newest first.",
       Action::read_runs, list_events, "", page_schema, list_query},
      {"GET", "/api/v1/events/{id}", "getEvent", "One event with its content.",
       Action::read_payloads, get_event, "", R"({"type": "object", "required": ["id", "status"]})"},
      {"POST", "/api/v1/events/{id}/replay", "replayEvent",
       "Gives a dead letter another try: what it would start today is started, once, or a run that "
       "listens takes it (`delivered`).",
       Action::send_events, replay_event, "",
       R"({"type": "object", "required": ["id", "status"]})"},
  };
  for (const auto& operation : operations) {
    add(router, services, operation);
  }
}

}  // namespace aios::api

// SPDX-License-Identifier: Apache-2.0
// What people say of an incident: one person's word, and another's on it where policy wants one.
#include "api/detail/operation.h"

#include <string>
#include <utility>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

Task<Answer> resolve_incident(const ApiServices& services, Context ctx, net::Request request) {
  if (auto held = held_back(services, ctx)) {
    co_return *std::move(held);
  }
  const std::string id(request.path_value("id"));
  auto asked = body_with_text(request, "resolution");
  if (!asked.ok()) {
    co_return std::move(asked).error();
  }
  if (auto known = workflow::check_first_word(asked->text); !known.ok()) {
    co_return std::move(known).error();  // another's word has routes of its own
  }
  auto incident = text_member(asked->body, "incident");
  if (!incident.ok()) {
    co_return std::move(incident).error();
  }
  const Json* given = asked->body.if_contains("result");
  workflow::Resolution resolution;
  resolution.word = asked->text;
  resolution.result = given == nullptr ? Json(nullptr) : *given;
  resolution.incident = *incident;
  auto done = co_await services.engine->resolve_incident(ctx, id, std::move(resolution));
  if (!done.ok()) {
    co_return std::move(done).error();
  }
  auto run = co_await services.engine->get(ctx, id);  // still at that incident: a second is wanted
  const bool proposed = run.ok() && run->incident == *incident;
  co_return net::json_response(proposed ? 202 : 200,
                               JsonObject{{"id", id},
                                          {"incident", *incident},
                                          {"resolution", asked->text},
                                          {"status", proposed ? "proposed" : "settled"}});
}

/// Another person's word on what was said of an incident: who may is policy's to say.
Task<Answer> second_word(const ApiServices& services, Context ctx, net::Request request,
                         std::string word) {
  if (auto held = held_back(services, ctx)) {
    co_return *std::move(held);
  }
  const std::string id(request.path_value("id"));
  auto asked = body_with_text(request, "incident");
  if (!asked.ok()) {
    co_return std::move(asked).error();
  }
  workflow::Resolution resolution{.incident = asked->text, .word = std::move(word), .result = {}};
  const bool approves = resolution.word == "approve";
  auto done = co_await services.engine->resolve_incident(ctx, id, std::move(resolution));
  if (!done.ok()) {
    co_return std::move(done).error();
  }
  co_return net::json_response(200, JsonObject{{"id", id},
                                               {"incident", asked->text},
                                               {"status", approves ? "settled" : "sent_back"}});
}

Task<Answer> approve_resolution(const ApiServices& services, Context ctx, net::Request request) {
  return second_word(services, std::move(ctx), std::move(request), "approve");
}

Task<Answer> send_back_resolution(const ApiServices& services, Context ctx, net::Request request) {
  return second_word(services, std::move(ctx), std::move(request), "send_back");
}

constexpr std::string_view incident_schema =
    R"({"type": "object", "required": ["incident"],
        "properties": {"incident": {"type": "string"}}})";

}  // namespace

void mount_incidents(net::Router& router, const ApiServices& services) {
  using govern::Action;
  const Operation operations[] = {
      {"POST", "/api/v1/runs/{id}/resolve", "resolveIncident",
       "Says what became of an effect whose outcome is unknown: retry, happened or fail; 202 where "
       "policy wants another person's word besides.",
       Action::settle_runs, resolve_incident,
       R"({"type": "object", "required": ["resolution", "incident"], "properties": {
           "incident": {"type": "string"},
           "resolution": {"enum": ["retry", "happened", "fail"]}, "result": true}})",
       R"({"type": "object", "required": ["id", "incident", "resolution", "status"], "properties": {
           "status": {"enum": ["settled", "proposed"]}}})"},
      {"POST", "/api/v1/runs/{id}/resolve/approve", "approveResolution",
       "Another person's word on what was said of an incident, where policy wants one.",
       Action::read_runs, approve_resolution, incident_schema, object_schema},
      {"POST", "/api/v1/runs/{id}/resolve/send-back", "sendBackResolution",
       "Does not approve it: the incident is as it was.", Action::read_runs, send_back_resolution,
       incident_schema, object_schema},
  };
  for (const auto& operation : operations) {
    add(router, services, operation);
  }
}

}  // namespace aios::api

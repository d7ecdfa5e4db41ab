// SPDX-License-Identifier: Apache-2.0
#include "api/detail/cancel.h"
#include "api/detail/key_names.h"
#include "api/detail/operation.h"
#include "api/detail/run_case.h"
#include "api/detail/run_retry.h"
#include "api/detail/run_search.h"
#include "api/detail/start_once.h"
#include "api/error_pages.h"

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

constexpr std::string_view run_schema = R"({
  "type": "object",
  "required": ["id", "workflow", "version", "status", "created", "updated"],
  "properties": {
    "id": {"type": "string"}, "workflow": {"type": "string"}, "version": {"type": "string"},
    "status": {"enum": ["running", "waiting", "completed", "faulted", "cancelled"]},
    "waiting_for": {"type": "string"}, "incident": {"type": "string"},
    "trace_id": {"type": "string"}, "starter": {"type": "string"},
    "created": {"type": "string"}, "updated": {"type": "string"}}})";

/// Input, output and every text that may quote them are payload: only for those who may read it.
workflow::Shown shown_to(const Context& ctx) {
  const bool all = govern::Identity::allow(ctx, govern::Action::read_payloads).ok();
  return all ? workflow::Shown::all : workflow::Shown::clear;
}

Json visible(const Context& ctx, const workflow::RunView& run) {
  return shown_to(ctx) == workflow::Shown::all ? run.to_json() : run.clear_json();
}

Task<Answer> list_runs(const ApiServices& services, Context ctx, net::Request request) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.status = query_text(request, "status");
  query.label = query_text(request, "workflow");
  query.after = query_text(request, "after");
  query.limit = limit_of(request);
  query.newest_first = query_text(request, "order") == "newest";
  const auto branches = query_text(request, "branches") == "shown" ? workflow::Branches::shown
                                                                   : workflow::Branches::hidden;
  auto page = co_await services.engine->list(ctx, std::move(query), shown_to(ctx), branches);
  if (!page.ok()) {
    co_return std::move(page).error();
  }
  JsonArray items;
  for (const auto& run : page->runs) {
    items.push_back(visible(ctx, run));
  }
  JsonObject answer{{"items", std::move(items)}};
  if (page->more) {
    answer["next"] = page->runs.back().id;
  }
  co_return net::json_response(200, std::move(answer));
}

Task<Answer> count_runs(const ApiServices& services, Context ctx, net::Request request) {
  JsonObject counts;
  for (const std::string_view status :
       {"running", "waiting", "completed", "faulted", "cancelled"}) {
    store::ListQuery query;
    query.tenant = ctx.tenant;
    query.kind = store::StreamKind::run;
    query.status = status;
    query.label = query_text(request, "workflow");
    auto count = co_await services.store->count(ctx, std::move(query));
    if (!count.ok()) {
      co_return std::move(count).error();
    }
    counts[status] = *count;
  }
  co_return net::json_response(200, counts);
}

Task<Answer> start_run(const ApiServices& services, Context ctx, net::Request request) {
  if (auto held = held_from_starting(services, ctx, request)) {
    co_return *std::move(held);
  }
  auto asked = body_with_text(request, "workflow");
  if (!asked.ok()) {
    co_return std::move(asked).error();
  }
  workflow::StartRequest start;
  start.workflow = std::move(asked->text);
  const Json document = std::move(asked->body);
  start.version = text_or(document, "version", "");
  start.subject = text_or(document, "subject", "");
  const Json* input = find(document, "input");
  start.input = input == nullptr ? Json(JsonObject()) : *input;
  if (request.headers.has("idempotency-key")) {
    std::string key(request.headers.get("idempotency-key"));
    auto once = co_await start_once(services.engine, services.store, ctx, std::move(start),
                                    std::move(key), std::move(request.body));
    if (!once.ok()) {
      co_return std::move(once).error();
    }
    co_return net::json_response(once->repeated ? 200 : 201, JsonObject{{"id", once->id}});
  }
  auto id = co_await services.engine->start(ctx, std::move(start));
  if (!id.ok()) {
    co_return std::move(id).error();
  }
  co_return net::json_response(201, JsonObject{{"id", *id}});
}

Task<Answer> get_run(const ApiServices& services, Context ctx, net::Request request) {
  const std::string id(request.path_value("id"));
  auto run = co_await services.engine->get(ctx, id);
  if (!run.ok()) {
    co_return std::move(run).error();
  }
  co_return net::json_response(200, visible(ctx, *run));
}

Task<Answer> explain_run(const ApiServices& services, Context ctx, net::Request request) {
  const std::string id(request.path_value("id"));
  auto text = co_await services.engine->explain(ctx, id, shown_to(ctx));
  if (!text.ok()) {
    co_return std::move(text).error();
  }
  const KeyNames names(services.identity, ctx.tenant);
  co_return net::json_response(200,
                               JsonObject{{"id", id}, {"text", names.in_text(with_titles(*text))}});
}

Task<Answer> run_history(const ApiServices& services, Context ctx, net::Request request) {
  const std::string id(request.path_value("id"));
  auto history = co_await services.engine->history(ctx, id);
  if (!history.ok()) {
    co_return std::move(history).error();
  }
  co_return net::json_response(200, JsonObject{{"id", id}, {"items", *history}});
}

Task<Answer> cancel_run(const ApiServices& services, Context ctx, net::Request request) {
  const std::string id(request.path_value("id"));
  auto before = co_await services.engine->get(ctx, id);
  if (!before.ok()) {
    co_return std::move(before).error();
  }
  auto run = co_await cancel_for(services, ctx, id);
  if (!run.ok()) {
    co_return std::move(run).error();
  }
  const bool changed = before->status != "cancelled";
  JsonObject answer{{"id", id}, {"status", run->status}, {"changed", changed}};
  if (!run->incident.empty()) {
    answer["incident"] = run->incident;
  }
  co_return net::json_response(200, std::move(answer));
}

JsonObject attributes_json(const std::vector<workflow::AttributeInfo>& attributes) {
  JsonObject out;
  for (const auto& one : attributes) {
    out[one.name] = workflow::name_of(one.type);
  }
  return out;
}

Task<Answer> list_definitions(const ApiServices& services, Context ctx, net::Request) {
  JsonArray items;
  for (const auto& definition : services.engine->definitions(ctx.tenant)) {
    JsonArray types;
    for (const auto& type : definition.trigger_types) {
      types.emplace_back(type);
    }
    items.push_back(JsonObject{{"namespace", definition.workflow_namespace},
                               {"name", definition.name},
                               {"version", definition.version},
                               {"title", definition.title},
                               {"digest", definition.digest},
                               {"attributes", attributes_json(definition.attributes)},
                               {"triggers", std::move(types)}});
  }
  co_return net::json_response(200, JsonObject{{"items", std::move(items)}});
}

constexpr QueryParameter workflow_parameter = {
    .name = "workflow", .summary = "Only runs of this workflow: namespace/name."};
constexpr QueryParameter list_query[] = {{.name = "status",
                                          .summary = "Only runs with this status.",
                                          .choices = "running|waiting|completed|faulted|cancelled"},
                                         workflow_parameter,
                                         {.name = "order",
                                          .summary = "By start of the run.",
                                          .choices = "oldest|newest",
                                          .absent_means = "oldest"},
                                         {.name = "branches",
                                          .summary = "Whether the branches of a fork are listed.",
                                          .choices = "hidden|shown",
                                          .absent_means = "hidden"},
                                         after_parameter,
                                         limit_parameter};
constexpr QueryParameter search_query[] = {
    {.name = "where", .summary = "Conditions on search attributes: intent=refund and amount>50."},
    {.name = "status",
     .summary = "Only runs with this status.",
     .choices = "running|waiting|completed|faulted|cancelled"},
    workflow_parameter,
    {.name = "version", .summary = "Only runs of this version of the document."},
    {.name = "error", .summary = "Only those whose error has this page, such as AIOS-0904."},
    {.name = "step", .summary = "Only those that faulted at this task: its pointer or its name."},
    {.name = "since", .summary = "Whose last change was then or later."},
    {.name = "until", .summary = "Whose last change was before."},
    {.name = "from", .summary = "That began then or later."},
    {.name = "before", .summary = "That began before."},
    after_parameter,
    limit_parameter};
constexpr QueryParameter count_query[] = {workflow_parameter};

constexpr std::string_view found_schema = R"({
  "type": "object", "required": ["items", "cut", "entries", "looked_at"],
  "properties": {
    "items": {"type": "array"}, "next": {"type": "string"},
    "cut": {"type": "boolean", "description": "It ended at a bound of what one search reads."},
    "entries": {"type": "integer", "description": "Of the index that were read."},
    "looked_at": {"type": "integer", "description": "Runs that were read."}}})";

constexpr std::string_view retry_runs_schema =
    R"({"type": "object", "properties": {
           "workflow": {"type": "string"}, "since": {"type": "string"}, "until": {"type": "string"},
           "error": {"type": "string"}, "where": {"type": "string"},
           "definition": {"enum": ["same", "newest"]},
           "max": {"type": "integer", "minimum": 1, "maximum": 200}, "after": {"type": "string"},
           "dry_run": {"type": "boolean"}}})";

}  // namespace

void mount_runs(net::Router& router, const ApiServices& services) {
  using govern::Action;
  const Operation operations[] = {
      {"GET", "/api/v1/runs", "listRuns", "Runs, oldest first unless asked otherwise.",
       Action::read_runs, list_runs, "", page_schema, list_query},
      {"GET", "/api/v1/run-counts", "countRuns", "How many runs have each status.",
       Action::read_runs, count_runs, "", object_schema, count_query},
      {"GET", "/api/v1/run-search", "searchRuns",
       "Runs by their search attributes and by what every run has, newest first.",
       Action::read_runs, search_runs, "", found_schema, search_query},
      {"POST",
       "/api/v1/runs",
       "startRun",
       "Starts a run; durable before the answer.",
       Action::start_runs,
       start_run,
       R"({"type": "object", "required": ["workflow"], "properties": {
           "workflow": {"type": "string"}, "version": {"type": "string"},
           "subject": {"type": "string"}, "input": true}})",
       R"({"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}})",
       {},
       std::size_t{1} << 20,
       Repeat::once},
      {"GET", "/api/v1/runs/{id}", "getRun", "One run.", Action::read_runs, get_run, "",
       run_schema},
      {"GET", "/api/v1/runs/{id}/explain", "explainRun",
       "Where a run is, what it waits for, what will wake it, what was tried.", Action::read_runs,
       explain_run, "", object_schema},
      {"GET", "/api/v1/runs/{id}/case", "runCase",
       "One case whole: run, steps, effects, people, and for auditors its leaves; payload only for "
       "those who may read it.",
       Action::read_runs, show_case, "", object_schema},
      {"GET", "/api/v1/runs/{id}/history", "runHistory", "What a run did, oldest first.",
       Action::read_payloads, run_history, "", page_schema},
      {"POST", "/api/v1/runs/{id}/cancel", "cancelRun",
       "Cancels a run; one whose effect may have happened waits at its incident first.",
       Action::settle_runs, cancel_run, "", object_schema},
      {"POST", "/api/v1/runs/{id}/retry", "retryRun",
       "Tries a faulted run again from the task that faulted.", Action::settle_runs, retry_run,
       R"({"type": "object", "properties": {"definition": {"enum": ["same", "newest"]}}})",
       object_schema},
      {"POST", "/api/v1/run-retries", "retryRuns",
       "Tries faulted runs again, oldest first, or (dry_run, as unless said otherwise) only tells "
       "which.",
       Action::settle_runs, retry_runs, retry_runs_schema, page_schema},
      {"GET", "/api/v1/definitions", "listDefinitions", "Workflow definitions that can run.",
       Action::read_runs, list_definitions, "", page_schema},
  };
  for (const auto& operation : operations) {
    add(router, services, operation);
  }
}

}  // namespace aios::api

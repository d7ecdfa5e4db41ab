// SPDX-License-Identifier: Apache-2.0
// Tasks: a run that a caller hands in and waits for, asks about, or is told of at its end.
#include "api/detail/cancel.h"
#include "api/detail/operation.h"
#include "api/detail/start_once.h"
#include "core/text.h"
#include "runtime/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

constexpr Duration wait_max = std::chrono::seconds(60);
/// Before the request's own time is over: the answer has to be made.
constexpr Duration wait_rest = std::chrono::seconds(1);
constexpr Duration deadline_max = std::chrono::hours(24 * 366);

Error wrong(std::string message) {
  return Error(Code::invalid_argument, std::move(message)).page(1320);
}

/// "30s", "30" or an ISO 8601 duration; none: not at all.
Result<Duration> wait_of(const net::Request& request) {
  std::string_view text = query_text(request, "wait");
  if (text.empty()) {
    return Duration(0);
  }
  auto iso = parse_iso_duration(text);
  Duration wait(0);
  if (iso.ok()) {
    wait = *iso;
  } else {
    const std::string_view digits = text.ends_with('s') ? text.substr(0, text.size() - 1) : text;
    std::uint16_t seconds = 0;
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    if (failed != std::errc() || end != digits.data() + digits.size()) {
      return wrong(fmt::format("found the wait '{}', wanted seconds such as 30s, at most 60s",
                               excerpt(text, 40)));
    }
    wait = std::chrono::seconds(seconds);
  }
  if (wait < Duration(0) || wait > wait_max) {
    return wrong(fmt::format("found the wait '{}', wanted 0s to 60s", excerpt(text, 40)));
  }
  return wait;
}

/// Of `deadline` or `timeout`; nothing when neither is given.
Result<std::optional<Time>> deadline_of(const Json& body, Time now) {
  const Json* deadline = find(body, "deadline");
  const Json* timeout = find(body, "timeout");
  if (deadline == nullptr && timeout == nullptr) {
    return std::optional<Time>();
  }
  if (deadline != nullptr && timeout != nullptr) {
    return wrong("found both 'deadline' and 'timeout', wanted one");
  }
  const Json& given = deadline != nullptr ? *deadline : *timeout;
  const std::string text(given.is_string() ? view(given.get_string()) : "");
  std::optional<Time> at;
  if (deadline != nullptr) {
    auto read = parse_rfc3339(text);
    at = read.ok() ? std::optional(*read) : std::nullopt;
  } else {
    auto read = parse_iso_duration(text);
    const bool fits = read.ok() && *read > Duration(0) && *read <= deadline_max;
    at = fits ? std::optional(now + *read) : std::nullopt;
  }
  if (!at || *at <= now || *at > now + deadline_max) {
    return wrong(fmt::format(
        "found {} {}, wanted {} within the next 366 days",
        deadline != nullptr ? "the deadline" : "the timeout", excerpt(to_text(given), 60),
        deadline != nullptr ? "a time (RFC 3339)" : "a duration (ISO 8601, such as PT10M)"));
  }
  return at;
}

/// What the run is given to tell of its end; null: nobody is told.
Result<Json> callback_of(const ApiServices& services, const Context& ctx, const Json& body) {
  const Json* callback = find(body, "callback");
  if (callback == nullptr) {
    return Json();
  }
  const std::string_view url = text_or(*callback, "url", "");
  if (!callback->is_object() || url.empty()) {
    return wrong("member 'callback' has no 'url'");
  }
  for (const auto& member : callback->get_object()) {
    if (member.key() != "url" && member.key() != "secret") {
      return wrong(fmt::format("found the member '{}' in 'callback', wanted url and secret",
                               excerpt(std::string_view(member.key()), 40)));
    }
  }
  auto receiver =
      services.deliveries->admit_callback(ctx.tenant, url, text_or(*callback, "secret", ""));
  if (!receiver.ok()) {
    return std::move(receiver).error();
  }
  return Json(JsonObject{{"receiver", *receiver}, {"url", url}});
}

/// Whoever handed a task in sees what came of it.
bool sees_payload(const Context& ctx, const workflow::RunView& run) {
  return (!run.starter.empty() && run.starter == ctx.principal->id) ||
         govern::Identity::allow(ctx, govern::Action::read_payloads).ok();
}

bool has_ended(const workflow::RunView& run) {
  return run.status != "running" && run.status != "waiting";
}

Json task_json(const Context& ctx, const workflow::RunView& run) {
  JsonObject out{{"id", run.id},
                 {"workflow", run.workflow},
                 {"version", run.version},
                 {"status", run.status},
                 {"created", to_rfc3339(run.created)},
                 {"updated", to_rfc3339(run.updated)}};
  if (!run.waiting_clear.empty()) {
    out["waiting_for"] = run.waiting_clear;
  }
  if (has_ended(run)) {
    out["ended"] = to_rfc3339(run.updated);
  }
  if (sees_payload(ctx, run)) {
    if (run.status == "completed") {
      out["output"] = run.output;
    } else if (!run.error.is_null()) {
      out["error"] = run.error;
    }
  }
  return Json(std::move(out));
}

net::Response located(int status, const Json& body, std::string_view id) {
  net::Response response = net::json_response(status, body);
  response.headers.set("location", fmt::format("/api/v1/tasks/{}", net::percent_encode(id)));
  return response;
}

/// Of a task that ended while its caller waited: its output, or its problem.
net::Response ended_answer(const Context& ctx, const workflow::RunView& run) {
  if (run.status == "completed") {
    return located(200, task_json(ctx, run), run.id);
  }
  JsonObject problem;
  if (run.status == "faulted" && run.error.is_object() && sees_payload(ctx, run)) {
    problem = run.error.get_object();
  } else {
    problem["title"] = run.status == "cancelled" ? "the task was cancelled" : "the task faulted";
  }
  const std::int64_t given = int_or(Json(problem), "status", 0);
  const int status = run.status == "cancelled"     ? 409
                     : given >= 400 && given < 600 ? static_cast<int>(given)
                                                   : 500;
  problem["status"] = status;
  problem["task"] = run.id;
  net::Response response = located(status, Json(std::move(problem)), run.id);
  response.headers.set("content-type", "application/problem+json");
  return response;
}

/// The task when it ends in time, else as it is then.
Task<Result<workflow::RunView>> wait_for(const ApiServices& services, Context ctx, std::string id,
                                         Duration wait) {
  if (wait > Duration(0)) {
    const Instant now = runtime::Executor::current()->clock().instant();
    Context bounded = ctx.until(now + wait);
    if (ctx.deadline != Instant::never() && ctx.deadline - now > wait_rest) {
      bounded = bounded.until(now + ((ctx.deadline - now) - wait_rest));
    }
    auto waited = co_await services.engine->wait(bounded, id);
    if (waited.ok() || waited.error().code() != Code::deadline_exceeded) {
      co_return waited;
    }
  }
  auto run = co_await services.engine->get(ctx, id);
  co_return run;
}

/// The request as a run to start.
Result<workflow::StartRequest> start_of(const ApiServices& services, const Context& ctx,
                                        std::string workflow, const Json& body) {
  for (const auto& member : body.get_object()) {
    static constexpr std::string_view known[] = {"workflow", "version", "subject", "input",
                                                 "deadline", "timeout", "callback"};
    if (std::find(std::begin(known), std::end(known), std::string_view(member.key())) ==
        std::end(known)) {
      return wrong(
          fmt::format("a task has no member '{}'", excerpt(std::string_view(member.key()), 40)));
    }
  }
  auto deadline = deadline_of(body, runtime::Executor::current()->clock().now());
  if (!deadline.ok()) {
    return std::move(deadline).error();
  }
  auto callback = callback_of(services, ctx, body);
  if (!callback.ok()) {
    return std::move(callback).error();
  }
  workflow::StartRequest start;
  start.workflow = std::move(workflow);
  start.version = text_or(body, "version", "");
  start.subject = text_or(body, "subject", "");
  start.deadline = *deadline;
  start.callback = std::move(*callback);
  const Json* input = find(body, "input");
  start.input = input == nullptr ? Json(JsonObject()) : *input;
  return start;
}

Task<Answer> submit_task(const ApiServices& services, Context ctx, net::Request request) {
  if (auto held = held_from_starting(services, ctx, request)) {
    co_return *std::move(held);
  }
  auto asked = body_with_text(request, "workflow");
  if (!asked.ok()) {
    co_return std::move(asked).error();
  }
  const auto wait = wait_of(request);
  if (!wait.ok()) {
    co_return wait.error();
  }
  auto start = start_of(services, ctx, std::move(asked->text), Json(std::move(asked->body)));
  if (!start.ok()) {
    co_return std::move(start).error();
  }
  std::string id;
  if (request.headers.has("idempotency-key")) {
    // A run that is started with the same key is another request.
    auto once = co_await start_once(services.engine, services.store, ctx, std::move(*start),
                                    std::string(request.headers.get("idempotency-key")),
                                    "task\n" + request.body);
    if (!once.ok()) {
      co_return std::move(once).error();
    }
    id = once->id;
  } else {
    auto started = co_await services.engine->start(ctx, std::move(*start));
    if (!started.ok()) {
      co_return std::move(started).error();
    }
    id = std::move(*started);
  }
  if (*wait > Duration(0)) {
    auto run = co_await wait_for(services, ctx, id, *wait);
    if (run.ok() && has_ended(*run)) {
      co_return ended_answer(ctx, *run);
    }
  }
  co_return located(202, JsonObject{{"id", id}, {"status", "accepted"}}, id);
}

Task<Answer> get_task(const ApiServices& services, Context ctx, net::Request request) {
  const auto wait = wait_of(request);
  if (!wait.ok()) {
    co_return wait.error();
  }
  std::string id(request.path_value("id"));
  auto run = co_await wait_for(services, ctx, std::move(id), *wait);
  if (!run.ok()) {
    co_return std::move(run).error();
  }
  co_return net::json_response(200, task_json(ctx, *run));
}

/// By whoever handed it in, and by those who may cancel any run.
Task<Answer> cancel_task(const ApiServices& services, Context ctx, net::Request request) {
  const std::string id(request.path_value("id"));
  auto before = co_await services.engine->get(ctx, id);
  if (!before.ok()) {
    co_return std::move(before).error();
  }
  if (before->starter.empty() || before->starter != ctx.principal->id) {
    auto allowed = govern::Identity::allow(ctx, govern::Action::settle_runs);
    if (!allowed.ok()) {
      co_return std::move(allowed).error();
    }
  }
  auto run = co_await cancel_for(services, ctx, id);
  if (!run.ok()) {
    co_return std::move(run).error();
  }
  co_return net::json_response(200, task_json(ctx, *run));
}

constexpr std::string_view task_schema = R"({
  "type": "object", "required": ["id", "status"],
  "properties": {
    "id": {"type": "string"}, "workflow": {"type": "string"}, "version": {"type": "string"},
    "status": {"enum": ["accepted", "running", "waiting", "completed", "faulted", "cancelled"]},
    "waiting_for": {"type": "string"}, "created": {"type": "string"},
    "updated": {"type": "string"}, "ended": {"type": "string"}, "output": true,
    "error": {"type": "object"}}})";

constexpr std::string_view submit_schema = R"({
  "type": "object", "required": ["workflow"], "additionalProperties": false,
  "properties": {
    "workflow": {"type": "string"}, "version": {"type": "string"}, "subject": {"type": "string"},
    "input": true, "deadline": {"type": "string", "format": "date-time"},
    "timeout": {"type": "string", "format": "duration"},
    "callback": {"type": "object", "required": ["url"], "additionalProperties": false,
      "properties": {"url": {"type": "string", "format": "uri"}, "secret": {"type": "string"}}}}})";

constexpr QueryParameter wait_query[] = {
    {.name = "wait", .summary = "How long to wait for its end: 30s, at most 60s."}};

}  // namespace

void mount_tasks(net::Router& router, const ApiServices& services) {
  using govern::Action;
  const Operation operations[] = {
      {"POST", "/api/v1/tasks", "submitTask",
       "Hands in a task; durable before the answer, which is 202, or its end when it comes in "
       "time.",
       Action::start_runs, submit_task, submit_schema, task_schema, wait_query,
       std::size_t{1} << 20, Repeat::once},
      {"GET", "/api/v1/tasks/{id}", "getTask", "A task, and its outcome when it has ended.",
       Action::read_runs, get_task, "", task_schema, wait_query},
      {"DELETE", "/api/v1/tasks/{id}", "deleteTask", "The same as to cancel it.",
       Action::start_runs, cancel_task, "", task_schema},
      {"POST", "/api/v1/tasks/{id}/cancel", "cancelTask",
       "Cancels a task; one whose effect may have happened waits at its incident first.",
       Action::start_runs, cancel_task, "", task_schema},
  };
  for (const auto& operation : operations) {
    add(router, services, operation);
  }
}

}  // namespace aios::api

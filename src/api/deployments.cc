// SPDX-License-Identifier: Apache-2.0
#include "api/detail/operation.h"

#include "core/text.h"

#include <fmt/format.h>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

Json error_json(const Error& error) {
  return JsonObject{{"file", error.file()},
                    {"line", error.line()},
                    {"column", error.column()},
                    {"message", error.message()},
                    {"page", page_text(error.page())},
                    {"text", error.text()}};
}

/// {"files": {"path": "<base64>"}}
Result<bundle::Files> files_of(const JsonObject& body) {
  const Json* member = body.if_contains("files");
  if (member == nullptr || !member->is_object()) {
    return Error(Code::invalid_argument, "member 'files' is missing or not an object").page(1301);
  }
  bundle::Files files;
  for (const auto& [path, content] : member->get_object()) {
    if (!content.is_string()) {
      return Error(Code::invalid_argument, "a file's content is not base64 text").page(1301);
    }
    auto bytes = from_base64(view(content.get_string()));
    if (!bytes.ok()) {
      return Error(bytes.error()).page(1301).with("reading file '" + std::string(path) + "'");
    }
    files[std::string(path)] = std::move(*bytes);
  }
  return files;
}

/// What was read from an answer and sent back would replace the value that was not shown.
Result<void> check_given(const JsonObject& parameters) {
  for (const auto& member : parameters) {
    if (bundle::stands_for_hidden(member.value())) {
      return Error(
                 Code::invalid_argument,
                 fmt::format("parameter '{}' has a value '(not shown)', which stands for one that "
                             "is not shown; leave the parameter out to keep its value",
                             member.key()))
          .page(1331);
    }
  }
  return {};
}

struct Given {
  bundle::Files files;
  JsonObject parameters;
};

Result<Given> given_in(const net::Request& request) {
  auto body = body_object(request);
  if (!body.ok()) {
    return std::move(body).error();
  }
  auto files = files_of(*body);
  if (!files.ok()) {
    return std::move(files).error();
  }
  Given given{std::move(*files), {}};
  if (const Json* set = body->if_contains("parameters"); set != nullptr && set->is_object()) {
    given.parameters = set->get_object();
  }
  if (auto shown = check_given(given.parameters); !shown.ok()) {
    return std::move(shown).error();
  }
  return given;
}

/// The problem document of the first error, with all of them in it.
net::Response problems(const Error& first, const std::vector<Error>& errors) {
  net::Response response = net::problem(first);
  auto document = parse_json(response.body);
  if (document.ok() && !errors.empty()) {
    JsonArray all;
    for (const Error& error : errors) {
      all.push_back(error_json(error));
    }
    document->get_object()["errors"] = std::move(all);
    response.body = to_text(*document);
  }
  return response;
}

Task<Answer> deploy(const ApiServices& services, Context ctx, net::Request request) {
  auto given = given_in(request);
  if (!given.ok()) {
    co_return std::move(given).error();
  }
  std::vector<Error> errors;
  auto info = co_await services.deployments->deploy(ctx, std::move(given->files),
                                                    std::move(given->parameters), &errors);
  if (!info.ok()) {
    co_return problems(info.error(), errors);
  }
  co_return net::json_response(info->changed ? 201 : 200, info->to_json());
}

Task<Answer> plan(const ApiServices& services, Context ctx, net::Request request) {
  auto given = given_in(request);
  if (!given.ok()) {
    co_return std::move(given).error();
  }
  std::vector<Error> errors;
  auto planned = co_await services.deployments->plan(ctx, std::move(given->files),
                                                     std::move(given->parameters), &errors);
  if (!planned.ok()) {
    co_return problems(planned.error(), errors);
  }
  co_return net::json_response(200, planned->to_json());
}

Task<Answer> list_deployments(const ApiServices& services, Context ctx, net::Request) {
  const auto now = services.deployments->current(ctx.tenant);
  auto all = co_await services.deployments->history(std::move(ctx));
  if (!all.ok()) {
    co_return std::move(all).error();
  }
  JsonArray items;
  for (const bundle::DeploymentInfo& one : *all) {
    items.push_back(JsonObject{{"number", one.number},
                               {"name", one.name},
                               {"version", one.version},
                               {"digest", one.digest},
                               {"by", one.by},
                               {"at", to_rfc3339(one.at)},
                               {"current", now.ok() && now->number == one.number}});
  }
  co_return net::json_response(200, JsonObject{{"items", std::move(items)}});
}

/// The deployment that the body names, as something to deploy.
Task<Result<bundle::Deployments::Earlier>> earlier_in(const ApiServices& services, Context ctx,
                                                      net::Request request) {
  auto body = body_object(request);
  if (!body.ok()) {
    co_return std::move(body).error();
  }
  const std::int64_t number = int_or(Json(std::move(*body)), "number", 0);
  if (number < 1) {
    co_return Error(Code::invalid_argument, "member 'number' is missing or no number from 1")
        .page(1301);
  }
  auto found =
      co_await services.deployments->earlier(std::move(ctx), static_cast<std::uint64_t>(number));
  co_return found;
}

Task<Answer> deploy_again(const ApiServices& services, Context ctx, net::Request request) {
  auto found = co_await earlier_in(services, ctx, std::move(request));
  if (!found.ok()) {
    co_return std::move(found).error();
  }
  std::vector<Error> errors;
  auto info = co_await services.deployments->deploy(ctx, std::move(found->files),
                                                    std::move(found->overrides), &errors);
  if (!info.ok()) {
    co_return problems(info.error(), errors);
  }
  co_return net::json_response(info->changed ? 201 : 200, info->to_json());
}

Task<Answer> plan_again(const ApiServices& services, Context ctx, net::Request request) {
  auto found = co_await earlier_in(services, ctx, std::move(request));
  if (!found.ok()) {
    co_return std::move(found).error();
  }
  std::vector<Error> errors;
  auto planned = co_await services.deployments->plan(ctx, std::move(found->files),
                                                     std::move(found->overrides), &errors);
  if (!planned.ok()) {
    co_return problems(planned.error(), errors);
  }
  co_return net::json_response(200, planned->to_json());
}

Task<Answer> current(const ApiServices& services, Context ctx, net::Request) {
  auto info = services.deployments->current(ctx.tenant);
  if (!info.ok()) {
    co_return std::move(info).error();
  }
  co_return net::json_response(200, info->to_json());
}

Task<Answer> list_connectors(const ApiServices& services, Context ctx, net::Request) {
  JsonArray items;
  for (const auto& connector : services.connectors->list(ctx.tenant)) {
    JsonArray operations;
    for (const auto& name : connector.operations) {
      operations.emplace_back(name);
    }
    items.push_back(JsonObject{{"name", connector.name},
                               {"kind", connector.kind},
                               {"region", connector.region},
                               {"breaker", connector.breaker},
                               {"operations", std::move(operations)}});
  }
  co_return net::json_response(200, JsonObject{{"items", std::move(items)}});
}

constexpr std::string_view deployment_schema = R"({
  "type": "object", "required": ["name", "version", "digest", "number", "changed", "warnings"],
  "properties": {"name": {"type": "string"}, "version": {"type": "string"},
                 "digest": {"type": "string"}, "number": {"type": "integer"},
                 "by": {"type": "string"}, "at": {"type": "string"},
                 "changed": {"type": "boolean"}, "parameters": {"type": "object"},
                 "warnings": {"type": "array", "items": {"type": "string"}}}})";

constexpr std::string_view bundle_schema =
    R"({"type": "object", "required": ["files"], "properties": {
           "files": {"type": "object", "additionalProperties": {"type": "string"}},
           "parameters": {"type": "object"}}})";

constexpr std::string_view plan_schema = R"({
  "type": "object", "required": ["name", "version", "digest", "from", "changed", "changes",
                                 "parameters", "runs", "warnings"],
  "properties": {"name": {"type": "string"}, "version": {"type": "string"},
                 "digest": {"type": "string"}, "from": {"type": ["object", "null"]},
                 "changed": {"type": "boolean"}, "changes": {"type": "array"},
                 "parameters": {"type": "array"}, "runs": {"type": "array"},
                 "warnings": {"type": "array", "items": {"type": "string"}}}})";

constexpr std::string_view number_schema =
    R"({"type": "object", "required": ["number"], "properties": {
           "number": {"type": "integer", "minimum": 1}}})";

constexpr std::size_t bundle_bytes_max = std::size_t{96} << 20;

}  // namespace

void mount_deployments(net::Router& router, const ApiServices& services) {
  using govern::Action;
  const Operation operations[] = {
      {"POST",
       "/api/v1/deployments",
       "deploy",
       "Checks a bundle and makes it current in one commit; all errors come back at once.",
       Action::deploy,
       deploy,
       bundle_schema,
       deployment_schema,
       {},
       bundle_bytes_max},
      {"POST",
       "/api/v1/deployments/plan",
       "planDeployment",
       "What deploying a bundle would change, part by part; nothing is changed.",
       Action::deploy,
       plan,
       bundle_schema,
       plan_schema,
       {},
       bundle_bytes_max},
      {"GET", "/api/v1/deployments", "listDeployments",
       "What was deployed, newest first; `number` names one.", Action::read_runs, list_deployments,
       "", page_schema},
      {"POST", "/api/v1/deployments/again", "deployAgain",
       "Deploys once more what an earlier deployment was: its files, and what was set then.",
       Action::deploy, deploy_again, number_schema, deployment_schema},
      {"POST", "/api/v1/deployments/again/plan", "planDeploymentAgain",
       "What that would change; nothing is changed.", Action::deploy, plan_again, number_schema,
       plan_schema},
      {"GET", "/api/v1/deployments/current", "currentDeployment", "What runs now.",
       Action::read_runs, current, "", deployment_schema},
      {"GET", "/api/v1/connectors", "listConnectors",
       "Connectors of the current bundle with the state of their circuit breakers.",
       Action::read_runs, list_connectors, "", page_schema},
  };
  for (const auto& operation : operations) {
    add(router, services, operation);
  }
}

}  // namespace aios::api

// SPDX-License-Identifier: Apache-2.0
#include "api/detail/operation.h"

#include <fmt/format.h>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

Task<net::Response> health(Context, net::Request) { co_return net::text_response(200, "ok\n"); }

struct Ready {
  const std::atomic<bool>* ready;
  const std::atomic<bool>* damaged;
  const store::Store* store;
  Task<net::Response> operator()(Context, net::Request) const { return answer(why_not()); }

 private:
  std::string why_not() const {
    if (!ready->load()) {
      return "starting or stopping";
    }
    if (damaged != nullptr && damaged->load()) {
      return "the data cannot be read as it was written, see the log";
    }
    return store->stats().read_only ? "the disk is full, nothing can be written" : "";
  }
  static Task<net::Response> answer(std::string why_not) {
    if (!why_not.empty()) {
      co_return net::text_response(503, fmt::format("not ready: {}\n", why_not));
    }
    co_return net::text_response(200, "ready\n");
  }
};

struct Document {
  const net::Router* router;
  Task<net::Response> operator()(Context, net::Request) const { return answer(router); }
  static Task<net::Response> answer(const net::Router* router) {
    co_return net::json_response(200, openapi_document(*router));
  }
};

Task<Answer> metrics(const ApiServices& services, Context, net::Request request) {
  const bool open = request.headers.get("accept").find("openmetrics") != std::string_view::npos;
  if (open) {
    co_return net::text_response(200, services.metrics->open_metrics(),
                                 "application/openmetrics-text; version=1.0.0; charset=utf-8");
  }
  co_return net::text_response(200, services.metrics->prometheus(),
                               "text/plain; version=0.0.4; charset=utf-8");
}

/// The {names} of a pattern.
JsonArray path_parameters(std::string_view pattern) {
  JsonArray out;
  std::size_t at = 0;
  while ((at = pattern.find('{', at)) != std::string_view::npos) {
    const std::size_t end = pattern.find('}', at);
    std::string_view name = pattern.substr(at + 1, end - at - 1);
    if (name.ends_with('*')) {
      name.remove_suffix(1);
    }
    out.push_back(JsonObject{{"name", name},
                             {"in", "path"},
                             {"required", true},
                             {"schema", JsonObject{{"type", "string"}}}});
    at = end;
  }
  return out;
}

Json content_of(std::string_view media, const Json& schema) {
  return JsonObject{{media, JsonObject{{"schema", schema}}}};
}

Json operation_document(const net::Route& route) {
  JsonObject operation{{"operationId", route.operation_id}, {"summary", route.summary}};
  JsonArray parameters = path_parameters(route.pattern);
  if (!parameters.empty()) {
    operation["parameters"] = std::move(parameters);
  }
  if (!route.request_schema.is_null()) {
    operation["requestBody"] = JsonObject{
        {"required", true}, {"content", content_of("application/json", route.request_schema)}};
  }
  JsonObject good{{"description", "Success."}};
  if (!route.response_schema.is_null()) {
    good["content"] = content_of("application/json", route.response_schema);
  }
  const Json problem_schema = JsonObject{{"$ref", "#/components/schemas/Problem"}};
  operation["responses"] = JsonObject{
      {"2XX", std::move(good)},
      {"default", JsonObject{{"description", "A problem (RFC 9457)."},
                             {"content", content_of("application/problem+json", problem_schema)}}}};
  return operation;
}

}  // namespace

Json openapi_document(const net::Router& router) {
  JsonObject paths;
  for (const net::Route& route : router.routes()) {
    if (route.operation_id.empty()) {
      continue;
    }
    Json& item = paths[route.pattern];
    if (!item.is_object()) {
      item = JsonObject();
    }
    std::string method = route.method;
    for (char& c : method) {
      c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    item.get_object()[method] = operation_document(route);
  }
  const Json problem =
      JsonObject{{"type", "object"},
                 {"required", JsonArray{"type", "title", "status", "detail"}},
                 {"properties", JsonObject{{"type", JsonObject{{"type", "string"}}},
                                           {"title", JsonObject{{"type", "string"}}},
                                           {"status", JsonObject{{"type", "integer"}}},
                                           {"detail", JsonObject{{"type", "string"}}},
                                           {"code", JsonObject{{"type", "string"}}}}}};
  return JsonObject{
      {"openapi", "3.1.0"},
      {"info", JsonObject{{"title", "aios control API"}, {"version", "1"}}},
      {"security", JsonArray{JsonObject{{"key", JsonArray()}}}},
      {"paths", std::move(paths)},
      {"components",
       JsonObject{{"schemas", JsonObject{{"Problem", problem}}},
                  {"securitySchemes",
                   JsonObject{{"key", JsonObject{{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

void mount_system(net::Router& router, const ApiServices& services) {
  net::Route route;
  route.method = "GET";
  route.pattern = "/healthz";
  route.handler = health;
  router.add(route);
  route.pattern = "/readyz";
  route.handler = Ready{services.ready, services.damaged, services.store};
  router.add(route);
  route.pattern = "/openapi.json";
  route.handler = Document{services.router};
  router.add(route);
  add(router, services,
      {"GET", "/metrics", "metrics", "Metrics as OpenMetrics or Prometheus text, by Accept.",
       govern::Action::read_metrics, metrics, "", ""});
}

}  // namespace aios::api

// SPDX-License-Identifier: Apache-2.0
// The OpenAPI document, made from the routes themselves.
#include "api/api.h"

namespace aios::api {
namespace {

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
  if (route.access == net::Access::anyone) {
    operation["security"] = JsonArray();
  }
  JsonArray parameters = path_parameters(route.pattern);
  if (const JsonArray* others = route.parameters.if_array(); others != nullptr) {
    parameters.insert(parameters.end(), others->begin(), others->end());
  }
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
  const Json problem = JsonObject{{"$ref", "#/components/schemas/Problem"}};
  operation["responses"] = JsonObject{
      {"2XX", std::move(good)},
      {"default", JsonObject{{"description", "A problem (RFC 9457)."},
                             {"content", content_of("application/problem+json", problem)}}}};
  return operation;
}

/// What net::problem sends, and the list of a refused deployment.
Json problem_schema() {
  JsonArray codes;
  for (int i = 0; i <= static_cast<int>(Code::rate_limited); ++i) {
    codes.emplace_back(name_of(static_cast<Code>(i)));
  }
  JsonArray retries;
  for (const Retry retry : {Retry::never, Retry::same_call, Retry::whole_step}) {
    retries.emplace_back(name_of(retry));
  }
  const Json text = JsonObject{{"type", "string"}};
  const Json integer = JsonObject{{"type", "integer"}};
  const JsonObject place{{"file", text}, {"line", integer}, {"column", integer}};
  JsonObject one = place;
  one["message"] = text;
  one["page"] = text;
  one["text"] = text;
  JsonObject members{
      {"type", text},
      {"title", text},
      {"status", integer},
      {"detail", text},
      {"code", JsonObject{{"enum", std::move(codes)}}},
      {"retry", JsonObject{{"enum", std::move(retries)}}},
      {"page", text},
      {"errors", JsonObject{{"type", "array"},
                            {"items", JsonObject{{"type", "object"}, {"properties", one}}}}}};
  members.insert(place.begin(), place.end());
  return JsonObject{{"type", "object"},
                    {"required", JsonArray{"type", "title", "status", "detail", "code", "retry"}},
                    {"properties", std::move(members)}};
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
  return JsonObject{
      {"openapi", "3.1.0"},
      {"info", JsonObject{{"title", "aios control API"}, {"version", "1"}}},
      {"security", JsonArray{JsonObject{{"key", JsonArray()}}}},
      {"paths", std::move(paths)},
      {"components",
       JsonObject{{"schemas", JsonObject{{"Problem", problem_schema()}}},
                  {"securitySchemes",
                   JsonObject{{"key", JsonObject{{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

}  // namespace aios::api

// SPDX-License-Identifier: Apache-2.0
#pragma once
// api/operation: one row of the control API, and how it becomes a route (authenticate, check the
// role, call, answer).

#include "api/api.h"
#include "core/json.h"
#include "core/result.h"
#include "govern/identity.h"
#include "net/http.h"
#include "runtime/task.h"

#include <string>
#include <string_view>

namespace aios::api {

/// A free coroutine: the services outlive the request, the rest are values.
using OperationFunction = Task<Result<net::Response>> (*)(const ApiServices& services, Context ctx,
                                                          net::Request request);

struct Operation {
  std::string_view method;
  std::string_view pattern;
  std::string_view id;
  std::string_view summary;
  govern::Action action = govern::Action::operate;
  OperationFunction function = nullptr;
  std::string_view request_schema;   ///< JSON text, empty: no body
  std::string_view response_schema;  ///< JSON text
  std::size_t body_bytes_max = std::size_t{1} << 20;
};

void add(net::Router& router, const ApiServices& services, const Operation& operation);

/// The body as an object; invalid_argument [AIOS-1301] otherwise.
Result<JsonObject> body_object(const net::Request& request);
/// A text member that must be there and not empty; invalid_argument [AIOS-1301].
Result<std::string> text_member(const JsonObject& body, std::string_view name);
/// ?limit=, 1 to 1,000, default 100; invalid_argument [AIOS-1302].
Result<std::uint32_t> limit_of(const net::Request& request);
/// {"items": [...], "next": "<id>" or absent}: next is there when `limit` items came.
Json page_of(JsonArray items, std::string_view last_id, std::uint32_t limit);

void mount_runs(net::Router& router, const ApiServices& services);
void mount_reviews(net::Router& router, const ApiServices& services);
void mount_models(net::Router& router, const ApiServices& services);
void mount_deployments(net::Router& router, const ApiServices& services);
void mount_governance(net::Router& router, const ApiServices& services);
void mount_events(net::Router& router, const ApiServices& services);
void mount_operate(net::Router& router, const ApiServices& services);
void mount_system(net::Router& router, const ApiServices& services);

}  // namespace aios::api

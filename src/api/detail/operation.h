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

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace aios::api {

/// A free coroutine: the services outlive the request, the rest are values.
using OperationFunction = Task<Result<net::Response>> (*)(const ApiServices& services, Context ctx,
                                                          net::Request request);

/// What may stand behind "?". The OpenAPI document lists it, and a request is checked against it
/// before the function runs: another name, or a value that does not fit, is invalid_argument
/// [AIOS-1302].
struct QueryParameter {
  std::string_view name = {};
  std::string_view summary = {};
  std::string_view choices = {};       ///< "open|answered"; empty: any text
  std::uint32_t number_max = 0;        ///< a number from 1 to this; 0: a text
  std::string_view absent_means = {};  ///< the value where none (or an empty one) is given
};
inline constexpr QueryParameter limit_parameter = {
    .name = "limit", .summary = "At most so many.", .number_max = 1000, .absent_means = "100"};
inline constexpr QueryParameter after_parameter = {
    .name = "after", .summary = "Goes on behind this id: the `next` of the page before."};

/// What a second request of the same does. once: with the header Idempotency-Key it is the first
/// one's answer.
enum class Repeat : std::uint8_t { again, once };

struct Operation {
  std::string_view method;
  std::string_view pattern;
  std::string_view id;
  std::string_view summary;
  govern::Action action = govern::Action::operate;
  OperationFunction function = nullptr;
  std::string_view request_schema;             ///< JSON text, empty: no body
  std::string_view response_schema;            ///< JSON text
  std::span<const QueryParameter> query = {};  ///< an array that lives as long as the program
  std::size_t body_bytes_max = std::size_t{1} << 20;
  Repeat repeat = Repeat::again;
};

void add(net::Router& router, const ApiServices& services, const Operation& operation);

/// The body as an object; invalid_argument [AIOS-1301] otherwise.
Result<JsonObject> body_object(const net::Request& request);
/// A text member that must be there and not empty; invalid_argument [AIOS-1301].
Result<std::string> text_member(const JsonObject& body, std::string_view name);
/// A body with one text member that is read first, and the rest of it.
struct TextBody {
  std::string text;
  JsonObject body;
};
Result<TextBody> body_with_text(const net::Request& request, std::string_view name);

/// What the request gives for a parameter of its operation's row, else absent_means. A name that
/// the row does not list ends the process: the document would not tell of it.
std::string_view query_text(const net::Request& request, std::string_view name);
std::uint32_t limit_of(const net::Request& request);
/// {"items": [...], "next": "<id>" or absent}: next is there when `limit` items came.
Json page_of(JsonArray items, std::string_view last_id, std::uint32_t limit);

/// Why no run of the caller's tenant may be moved now: it would meet a guard without policies.
std::optional<Error> held_back(const ApiServices& services, const Context& ctx);
/// Why the tenant can start nothing now: that, or it has its part of what the store has to fold
/// [AIOS-1207]. Asked once for each start: it counts.
std::optional<Error> held_from_starting(const ApiServices& services, const Context& ctx,
                                        const net::Request& request);

inline constexpr std::string_view object_schema = R"({"type": "object"})";
inline constexpr std::string_view page_schema = R"({
  "type": "object", "required": ["items"],
  "properties": {"items": {"type": "array"}, "next": {"type": "string"}}})";

void mount_runs(net::Router& router, const ApiServices& services);
void mount_incidents(net::Router& router, const ApiServices& services);
void mount_tasks(net::Router& router, const ApiServices& services);
void mount_deliveries(net::Router& router, const ApiServices& services);
void mount_reviews(net::Router& router, const ApiServices& services);
void mount_models(net::Router& router, const ApiServices& services);
void mount_learning(net::Router& router, const ApiServices& services);
void mount_deployments(net::Router& router, const ApiServices& services);
void mount_governance(net::Router& router, const ApiServices& services);
void mount_budgets(net::Router& router, const ApiServices& services);
void mount_events(net::Router& router, const ApiServices& services);
void mount_operate(net::Router& router, const ApiServices& services);
void mount_tenants(net::Router& router, const ApiServices& services);
void mount_system(net::Router& router, const ApiServices& services);
void mount_error_pages(net::Router& router);

}  // namespace aios::api

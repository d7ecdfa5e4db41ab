// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/http: requests, responses and the Router. Bodies are whole (bounded); streaming comes with the surfaces that
// need it. Source: RFC 9110, RFC 9112.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "runtime/task.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::net {

struct Header {
  std::string name;   ///< lower case
  std::string value;
};

class Headers {
 public:
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);
  /// First value of the name (any case), empty when absent.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  std::vector<Header>::const_iterator begin() const { return items_.begin(); }
  std::vector<Header>::const_iterator end() const { return items_.end(); }
  std::size_t size() const { return items_.size(); }

 private:
  std::vector<Header> items_;
};

struct Request {
  std::string method;
  std::string target;      ///< as received: path and query
  std::string path;        ///< percent-decoded, never with "." or ".." segments
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order
  Headers headers;
  std::string body;
  std::string peer;        ///< "127.0.0.1:5123"
  /// Values of the route's {names}, decoded.
  std::vector<std::pair<std::string, std::string>> path_parameters;
  std::string_view query_value(std::string_view name) const;
  std::string_view path_value(std::string_view name) const;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

Response json_response(int status, const Json& body);
Response text_response(int status, std::string body, std::string_view content_type = "text/plain; charset=utf-8");
/// RFC 9457 problem document with our code, "type" being the error page; Retry-After where the error carries one.
Response problem(const Error& error);
/// The HTTP status of an error's code (invalid_argument 400, unauthenticated 401, ...).
int http_status(Code code);

using Handler = std::function<Task<Response>(Context ctx, Request request)>;

/// One operation as the OpenAPI document describes it.
struct Route {
  std::string method;
  std::string pattern;        ///< "/api/v1/runs/{id}"; a last segment "{rest*}" takes the remaining path
  std::string operation_id;   ///< empty: not in the OpenAPI document
  std::string summary;
  Json request_schema;        ///< null: no body
  Json response_schema;       ///< of the 2xx answer; null: not JSON
  std::size_t body_bytes_max = std::size_t{1} << 20;
  Handler handler;
};

/// Matches exact segments before {names}. Immutable once the server runs. 404 and 405 (with Allow) are problems.
class Router {
 public:
  void add(Route route);
  const std::vector<Route>& routes() const { return routes_; }
  /// Also the way in for callers in this process (the command line on a data directory, tests).
  Task<Response> dispatch(Context ctx, Request request) const;
  /// The body bound of the route that would take this request (default 1 MiB), before the body is read.
  std::size_t body_bytes_max(std::string_view method, std::string_view path) const;

 private:
  const Route* match(const Request& request, std::string* allow,
                     std::vector<std::pair<std::string, std::string>>* parameters) const;
  std::vector<Route> routes_;
};

/// Splits and decodes a request target; invalid_argument on bad percent escapes or control characters.
Result<void> parse_target(std::string_view target, Request* request);
std::string percent_encode(std::string_view text);  ///< everything but unreserved characters

}  // namespace aios::net

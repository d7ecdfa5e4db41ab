// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/http: requests, responses and the Router. Bodies are whole (bounded); streaming comes with
// the surfaces that need it. Source: RFC 9110, RFC 9112.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "runtime/task.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::net {

struct Header {
  std::string name;  ///< lower case
  std::string value;
};

class Headers {
 public:
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);
  /// First value of the name (any case), empty when absent.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  std::vector<Header>::const_iterator begin() const { return items_.begin(); }
  std::vector<Header>::const_iterator end() const { return items_.end(); }
  std::size_t size() const { return items_.size(); }
  void clear() { items_.clear(); }

 private:
  std::vector<Header> items_;
};

struct Request {
  std::string method;
  std::string target;  ///< as received: path and query
  std::string path;    ///< percent-decoded, never with "." or ".." segments
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded ("+" is a blank), in order
  Headers headers;
  std::string body;
  std::string peer;  ///< "127.0.0.1:5123"
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
Response text_response(int status, std::string body,
                       std::string_view content_type = "text/plain; charset=utf-8");
/// RFC 9457 problem document with our code, "type" being the error page; Retry-After where the
/// error carries one. The status is that of the code (invalid_argument 400, unauthenticated 401,
/// ...), but 422 for resource_exhausted that the same call would meet again.
Response problem(const Error& error);
/// The same with a status that says more than the error's code (413, 414, 431, 505, ...).
Response problem(int status, const Error& error);
/// "Not Found" and so on; "Status" for a number without a name of its own.
std::string_view reason_phrase(int status);

using Handler = std::function<Task<Response>(Context ctx, Request request)>;
/// Whether the sender of this head may send its body too: what the handler asks for in any case, so
/// that nobody else's body costs memory. It sees method, target and headers; called on any shard.
using Admission = std::function<Result<void>(const Request& head)>;

enum class Access : std::uint8_t { key, anyone };

/// One operation as the OpenAPI document describes it.
struct Route {
  std::string method;
  std::string pattern;  ///< "/api/v1/runs/{id}"; a last segment "{rest*}" takes the remaining path
  std::string operation_id;  ///< empty: not in the OpenAPI document
  std::string summary;
  Access access = Access::key;  ///< for the document: the handler is who asks for the key
  Json parameters;              ///< list of OpenAPI parameter objects; null: none but the path's
  Json request_schema;          ///< null: no body
  Json response_schema;         ///< of the 2xx answer; null: not JSON
  std::size_t body_bytes_max = std::size_t{1} << 20;
  Admission admission;  ///< asked before a body is read; null: everybody may send one
  Handler handler;
};

/// What becomes of a request's body.
struct BodyRuling {
  std::size_t bytes_max = 0;
  std::optional<Response> refusal;  ///< the body is not read, this is the answer
};

/// Matches exact segments before {names}. Immutable once the server runs. 404 and 405 (with Allow)
/// are problems. HEAD is answered by the GET route where there is no HEAD route.
class Router {
 public:
  /// Two routes with one method and pattern, or a malformed pattern, end the process.
  void add(Route route);
  const std::vector<Route>& routes() const { return routes_; }
  /// Also the way in for callers in this process (the command line on a data directory, tests):
  /// where `path` is empty it is taken from `target`.
  Task<Response> dispatch(Context ctx, Request request) const;
  /// Before the body is read. Refused where no route takes the request, or its admission says so.
  /// @param head  method, target as received, and headers.
  BodyRuling rule_body(const Request& head) const;

 private:
  using Values = std::vector<std::string_view>;
  /// One place in the tree of patterns; children are indices into nodes_, 0 is none.
  struct Node {
    std::map<std::string, std::uint32_t, std::less<>> exact;
    std::uint32_t parameter = 0;
    std::uint32_t rest = 0;
    std::vector<std::uint32_t> routes;
  };
  struct Search;
  std::uint32_t child(std::uint32_t node, std::string_view segment);
  const Route* match(std::string_view method, std::string_view path, std::string* allow,
                     Values* values) const;
  const Route* visit(Search& search, std::uint32_t node, std::string_view rest) const;
  const Route* accept(Search& search, const Node& node) const;

  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> names_;  ///< of each route's {names}
  std::vector<Node> nodes_;
};

/// Fills target, path and query from a request target in origin, absolute or asterisk form
/// (RFC 9112 section 3.2). Refused with invalid_argument [AIOS-0306]: bad percent escapes, control
/// characters, blanks, fragments, text that is not UTF-8 once decoded, "." and ".." segments.
Result<void> parse_target(std::string_view target, Request* request);
std::string percent_encode(std::string_view text);  ///< everything but unreserved characters
/// invalid_argument on an incomplete or non-hexadecimal escape.
Result<std::string> percent_decode(std::string_view text);

}  // namespace aios::net

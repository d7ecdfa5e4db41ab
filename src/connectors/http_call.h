// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/http_call: `call: http` of a workflow. It needs no manifest: each origin that
// `needs.egress` of aios.yaml lists is a connector by the name of that origin, whose operations are
// HTTP methods. So a call goes the way of every other: guard, fence, breaker, leaves. Members and
// rules: docs/guide/http.md.

#include "connectors/connector.h"
#include "core/effect.h"
#include "core/json.h"
#include "core/result.h"
#include "core/time.h"

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aios::connectors {

/// One entry of `needs.egress`, checked.
struct Egress {
  std::string origin;                           ///< as origin_of() gives it
  std::string region = "unknown";               ///< what a policy sees
  bool private_allowed = false;                 ///< its host may have a private address
  Duration timeout = std::chrono::seconds(10);  ///< of one attempt
};

/// "https://API.example.com:443/" -> "https://api.example.com".
/// @return invalid_argument [AIOS-1060]: another scheme, user info, no host, a path or a query.
Result<std::string> origin_of(std::string_view text);
/// The origin of a whole URL. @return invalid_argument [AIOS-0311].
Result<std::string> origin_of_url(std::string_view url);
/// Whether an origin says by itself that it is private: "http://127.0.0.1:8081".
bool is_private_origin(std::string_view origin);

/// A method that a call can have.
struct HttpMethod {
  std::string_view name;  ///< in upper case
  EffectClass effect;
  bool takes_key;  ///< with an Idempotency-Key of the document's it is of class `key`
  bool takes_body;
};
std::span<const HttpMethod> http_methods();
/// @param name  in any case. @return nullptr for a method that a call cannot have.
const HttpMethod* http_method(std::string_view name);
/// "GET, HEAD, ..."
std::string http_method_names();
/// Why the document cannot set a header; empty: it can. @param name  in any case
std::string header_refusal(std::string_view name);

/// What a request and its answer may take.
inline constexpr std::size_t http_body_bytes_max = std::size_t{1} << 20;
inline constexpr std::size_t http_headers_max = 64;
inline constexpr std::size_t http_header_bytes_max = std::size_t{16} << 10;

/// The call that a step's arguments stand for: connector, operation, arguments as policies see them
/// ({method, path, query, headers, body}; path and query decoded), and what they do not see.
/// @param with  {method, uri, query, headers, body, output, redirect, authentication}, evaluated.
/// @return invalid_argument [AIOS-1061] naming what is wrong.
Result<OperationCall> http_operation(const Json& with);

/// Of an origin that is not declared: permission_denied [AIOS-1062], naming the nearest.
Error not_declared(std::string_view origin, const std::vector<std::string>& declared);

}  // namespace aios::connectors

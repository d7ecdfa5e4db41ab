// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"
#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace aios::net {

namespace {

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}
bool is_rest(std::string_view segment) { return is_parameter(segment) && segment.ends_with("*}"); }

std::string_view raw_path(std::string_view target) {
  return target.substr(0, std::min(target.find('?'), target.size()));
}

/// The target of a request that was made in this process with a decoded path only.
std::string target_of(std::string_view path) {
  std::string out;
  for (const std::string_view segment : split(path, '/')) {
    out += percent_encode(segment) + "/";
  }
  out.pop_back();
  return out;
}

Response not_found(std::string_view path) {
  return problem(
      Error(Code::not_found, fmt::format("there is nothing at '{}'", excerpt(path, 80))).page(304));
}

Response not_allowed(std::string_view method, std::string_view path, const std::string& allow) {
  auto response = problem(
      405, Error(Code::invalid_argument, fmt::format("'{}' takes {}, not {}", excerpt(path, 80),
                                                     allow, excerpt(method, 20)))
               .page(305));
  response.headers.add("allow", allow);
  return response;
}

}  // namespace

struct Router::Search {
  std::string_view method;
  Values* values;
  std::set<std::string, std::less<>> allowed;
};

void Router::add(Route route) {
  AIOS_ASSERT(route.pattern.starts_with('/'));
  AIOS_ASSERT(route.handler != nullptr);
  if (nodes_.empty()) {
    nodes_.resize(1);
  }
  std::uint32_t at = 0;
  std::vector<std::string> names;
  const auto segments = split(std::string_view(route.pattern).substr(1), '/');
  for (std::size_t i = 0; i < segments.size(); ++i) {
    AIOS_ASSERT(!is_rest(segments[i]) || i + 1 == segments.size());
    if (is_parameter(segments[i])) {
      const std::size_t marks = is_rest(segments[i]) ? 3 : 2;
      names.emplace_back(segments[i].substr(1, segments[i].size() - marks));
    }
    at = child(at, segments[i]);
  }
  for (const std::uint32_t other : nodes_[at].routes) {
    AIOS_ASSERT(routes_[other].method != route.method);
  }
  nodes_[at].routes.push_back(static_cast<std::uint32_t>(routes_.size()));
  routes_.push_back(std::move(route));
  names_.push_back(std::move(names));
}

std::uint32_t Router::child(std::uint32_t node, std::string_view segment) {
  const auto fresh = static_cast<std::uint32_t>(nodes_.size());
  std::uint32_t* slot = is_rest(segment)        ? &nodes_[node].rest
                        : is_parameter(segment) ? &nodes_[node].parameter
                                                : &nodes_[node].exact[std::string(segment)];
  if (*slot != 0) {
    return *slot;
  }
  *slot = fresh;
  nodes_.emplace_back();
  return fresh;
}

const Route* Router::accept(Search& search, const Node& node) const {
  const Route* get = nullptr;
  for (const std::uint32_t index : node.routes) {
    const Route& route = routes_[index];
    if (route.method == search.method) {
      return &route;
    }
    get = route.method == "GET" ? &route : get;
    search.allowed.insert(route.method);
  }
  if (get != nullptr) {
    search.allowed.insert("HEAD");
  }
  return search.method == "HEAD" ? get : nullptr;
}

/// @param rest  begins with '/' while segments are left.
const Route* Router::visit(Search& search, std::uint32_t index, std::string_view rest) const {
  const Node& node = nodes_[index];
  if (rest.empty()) {
    return accept(search, node);
  }
  rest.remove_prefix(1);
  const std::size_t end = std::min(rest.find('/'), rest.size());
  const std::string_view segment = rest.substr(0, end);
  const auto exact = node.exact.find(segment);
  if (exact != node.exact.end()) {
    if (const Route* found = visit(search, exact->second, rest.substr(end))) {
      return found;
    }
  }
  if (node.parameter != 0 && !segment.empty()) {
    search.values->push_back(segment);
    if (const Route* found = visit(search, node.parameter, rest.substr(end))) {
      return found;
    }
    search.values->pop_back();
  }
  if (node.rest != 0) {
    search.values->push_back(rest);
    if (const Route* found = accept(search, nodes_[node.rest])) {
      return found;
    }
    search.values->pop_back();
  }
  return nullptr;
}

const Route* Router::match(std::string_view method, std::string_view path, std::string* allow,
                           Values* values) const {
  if (nodes_.empty() || !path.starts_with('/')) {
    return nullptr;
  }
  Search search{.method = method, .values = values, .allowed = {}};
  const Route* found = visit(search, 0, path);
  if (found == nullptr) {
    *allow = join({search.allowed.begin(), search.allowed.end()}, ", ");
  }
  return found;
}

BodyRuling Router::rule_body(const Request& head) const {
  std::string allow;
  Values values;
  const std::string_view path = raw_path(head.target);
  const Route* route = match(head.method, path, &allow, &values);
  if (route == nullptr) {
    return {.bytes_max = 0,
            .refusal = allow.empty() ? not_found(path) : not_allowed(head.method, path, allow)};
  }
  if (route->admission != nullptr) {
    auto admitted = route->admission(head);
    if (!admitted.ok()) {
      return {.bytes_max = 0, .refusal = problem(admitted.error())};
    }
  }
  return {.bytes_max = route->body_bytes_max, .refusal = std::nullopt};
}

Task<Response> Router::dispatch(Context ctx, Request request) const {
  if (request.target.empty()) {
    request.target = target_of(request.path);
  } else if (request.path.empty()) {
    const std::string target = request.target;
    auto parsed = parse_target(target, &request);
    if (!parsed.ok()) {
      co_return problem(parsed.error());
    }
  }
  std::string allow;
  Values values;
  const std::string_view path = raw_path(request.target);
  const Route* route = match(request.method, path, &allow, &values);
  if (route == nullptr && path == "*" && request.method == "OPTIONS") {
    co_return Response{.status = 204, .headers = {}, .body = {}};
  }
  if (route == nullptr) {
    co_return allow.empty() ? not_found(path) : not_allowed(request.method, path, allow);
  }
  const auto& names = names_[static_cast<std::size_t>(route - routes_.data())];
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto value = percent_decode(values[i]);
    if (!value.ok()) {
      co_return problem(value.error());
    }
    request.path_parameters.emplace_back(names[i], std::move(*value));
  }
  auto answer = route->handler(std::move(ctx), std::move(request));
  auto response = co_await std::move(answer);
  co_return response;
}

}  // namespace aios::net

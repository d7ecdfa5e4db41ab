// SPDX-License-Identifier: Apache-2.0
#include "connectors/http_call.h"

#include "connectors/detail/http_answer.h"
#include "core/text.h"
#include "net/client.h"
#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <utility>

namespace aios::connectors {

namespace {

constexpr std::size_t target_bytes_max = std::size_t{16} << 10;

constexpr auto methods = std::to_array<HttpMethod>({
    {"GET", EffectClass::read, false, false},
    {"HEAD", EffectClass::read, false, false},
    {"OPTIONS", EffectClass::read, false, false},
    {"PUT", EffectClass::key, false, true},
    {"DELETE", EffectClass::key, false, true},
    {"POST", EffectClass::none, true, true},
    {"PATCH", EffectClass::none, true, true},
});

Error wrong(std::string message) {
  return Error(Code::invalid_argument, std::move(message)).page(1061);
}

/// A text, number or boolean as it is written; nothing for any other value.
std::optional<std::string> scalar(const Json& value) {
  if (value.is_string()) {
    return std::string(view(value.get_string()));
  }
  if (value.is_number() || value.is_bool()) {
    return to_text(value);
  }
  return std::nullopt;
}

Result<void> append_parameter(std::string_view name, const Json& value, std::string* target) {
  if (value.is_null()) {
    return {};  // left out
  }
  if (value.is_array()) {
    for (const Json& item : value.get_array()) {
      auto appended = item.is_array() ? Result<void>(wrong(fmt::format(
                                            "query parameter '{}' holds a list in a list", name)))
                                      : append_parameter(name, item, target);
      if (!appended.ok()) {
        return appended;
      }
    }
    return {};
  }
  const auto text = scalar(value);
  if (!text) {
    return wrong(
        fmt::format("query parameter '{}' is {}, wanted a text, a number, a boolean or a "
                    "list of them",
                    excerpt(name, 40), type_name(value)));
  }
  *target += target->find('?') == std::string::npos ? '?' : '&';
  *target += net::percent_encode(name) + "=" + net::percent_encode(*text);
  return {};
}

Result<void> append_query(const Json* query, std::string* target) {
  if (query == nullptr || query->is_null()) {
    return {};
  }
  if (!query->is_object()) {
    return wrong(fmt::format("'query' is {}, wanted an object", type_name(*query)));
  }
  for (const auto& member : query->get_object()) {
    auto appended = append_parameter(member.key(), member.value(), target);
    if (!appended.ok()) {
      return appended;
    }
  }
  return {};
}

/// Name -> value, or the list of its values.
JsonObject query_of(const net::Request& request) {
  JsonObject out;
  for (const auto& [name, value] : request.query) {
    Json* there = out.if_contains(name);
    if (there == nullptr) {
      out[name] = value;
    } else if (there->is_array()) {
      there->get_array().emplace_back(value);
    } else {
      *there = JsonArray{*there, value};
    }
  }
  return out;
}

/// Names in lower case.
Result<JsonObject> headers_of(const Json* headers) {
  JsonObject out;
  if (headers == nullptr || headers->is_null()) {
    return out;
  }
  if (!headers->is_object()) {
    return wrong(fmt::format("'headers' is {}, wanted an object", type_name(*headers)));
  }
  std::size_t bytes = 0;
  for (const auto& member : headers->get_object()) {
    if (member.value().is_null()) {
      continue;
    }
    const std::string name = ascii_lower(member.key());
    const std::string refusal = header_refusal(name);
    const auto value = scalar(member.value());
    if (!refusal.empty()) {
      return wrong(refusal);
    }
    const bool plain = value && std::all_of(value->begin(), value->end(), [](char c) {
                         return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
                       });
    if (!plain || trim(*value).size() != value->size()) {
      return wrong(
          fmt::format("the value of header '{}' is not a text, number or boolean without "
                      "control characters and blanks around it",
                      excerpt(name, 40)));
    }
    if (name == "idempotency-key" && value->empty()) {
      return wrong("header 'idempotency-key' is empty: nothing could be told apart by it");
    }
    if (out.contains(name)) {
      return wrong(fmt::format("header '{}' is there twice", excerpt(name, 40)));
    }
    bytes += name.size() + value->size() + 4;
    out[name] = *value;
  }
  if (out.size() > http_headers_max || bytes > http_header_bytes_max) {
    return wrong(fmt::format("{} headers of {} bytes, at most {} of {} are sent", out.size(), bytes,
                             http_headers_max, http_header_bytes_max));
  }
  return out;
}

Result<void> check_body(const HttpMethod& method, const Json* body, const JsonObject& headers) {
  if (body == nullptr || body->is_null()) {
    return {};
  }
  if (!method.takes_body) {
    return wrong(fmt::format("a {} has no body", method.name));
  }
  const std::string_view type = text_or(headers, "content-type", "application/json");
  if (!detail::is_json_type(type) && !body->is_string()) {
    return wrong(fmt::format("the body is {}, and of content type '{}' only a text can be sent",
                             type_name(*body), excerpt(type, 60)));
  }
  const std::size_t bytes = to_text(*body).size();
  if (bytes > http_body_bytes_max) {
    return wrong(
        fmt::format("the body takes {} bytes, at most {} are sent", bytes, http_body_bytes_max));
  }
  return {};
}

bool all_texts(const Json& given, std::initializer_list<std::string_view> members) {
  return std::all_of(members.begin(), members.end(), [&](std::string_view member) {
    const Json* value = find(given, member);
    return value != nullptr && value->is_string();
  });
}

/// {basic: {use}}, {basic: {username, password}}, {bearer: {use}} or {bearer: {token}}.
Result<void> check_authentication(const Json* authentication) {
  if (authentication == nullptr || authentication->is_null()) {
    return {};
  }
  const Json* basic = find(*authentication, "basic");
  const Json* bearer = find(*authentication, "bearer");
  const bool good =
      (basic != nullptr &&
       (all_texts(*basic, {"use"}) || all_texts(*basic, {"username", "password"}))) ||
      (bearer != nullptr && (all_texts(*bearer, {"use"}) || all_texts(*bearer, {"token"})));
  return good ? Result<void>()
              : Result<void>(wrong("what authenticates the call is not there, or is no text"));
}

}  // namespace

Result<std::string> origin_of(std::string_view text) {
  auto parts = net::split_url(text);
  if (!parts.ok()) {
    return Error(Code::invalid_argument, std::string(parts.error().message())).page(1060);
  }
  if (parts->target != "/" || text.find_first_of("?#") != std::string_view::npos) {
    return Error(Code::invalid_argument,
                 fmt::format("'{}' has a path or a query, wanted scheme, host and port alone, such "
                             "as {}",
                             excerpt(text, 120), parts->origin))
        .page(1060);
  }
  return parts->origin;
}

Result<std::string> origin_of_url(std::string_view url) {
  auto parts = net::split_url(url);
  if (!parts.ok()) {
    return std::move(parts).error();
  }
  return parts->origin;
}

bool is_private_origin(std::string_view origin) {
  const auto parts = net::split_url(origin);
  return parts.ok() && net::is_private_host(parts->host);
}

std::span<const HttpMethod> http_methods() { return methods; }

const HttpMethod* http_method(std::string_view name) {
  const std::string lower = ascii_lower(name);
  const auto found = std::find_if(methods.begin(), methods.end(), [&](const HttpMethod& one) {
    return ascii_lower(one.name) == lower;
  });
  return found == methods.end() ? nullptr : &*found;
}

std::string http_method_names() {
  std::vector<std::string> names;
  for (const HttpMethod& method : methods) {
    names.emplace_back(method.name);
  }
  return join(names, ", ");
}

std::string header_refusal(std::string_view name) {
  const std::string lower = ascii_lower(name);
  const bool token = !lower.empty() && std::all_of(lower.begin(), lower.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
  if (!token || lower.size() > 100) {
    return fmt::format("'{}' is not the name of a header", excerpt(name, 40));
  }
  if (lower == "authorization" || lower == "proxy-authorization" || lower == "cookie") {
    return fmt::format(
        "header '{}' is not the document's to set: name a secret in "
        "'endpoint.authentication'",
        lower);
  }
  constexpr auto ours = std::to_array<std::string_view>(
      {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te",
       "trailer", "expect", "proxy-connection", "accept-encoding", "traceparent"});
  if (std::find(ours.begin(), ours.end(), lower) != ours.end()) {
    return fmt::format("header '{}' is set by aios", lower);
  }
  return {};
}

Error not_declared(std::string_view origin, const std::vector<std::string>& declared) {
  return Error(Code::permission_denied,
               fmt::format("'{}' is not among 'needs.egress' of aios.yaml{}", excerpt(origin, 120),
                           declared.empty() ? " (nothing is)" : hint(origin, declared)))
      .page(1062);
}

Result<OperationCall> http_operation(const Json& with) {
  const std::string_view name = text_or(with, "method", "");
  const HttpMethod* method = http_method(name);
  if (method == nullptr) {
    return wrong(fmt::format("found the method '{}', wanted one of {}", excerpt(name, 20),
                             http_method_names()));
  }
  auto parts = net::split_url(text_or(with, "uri", ""));
  if (!parts.ok()) {
    return wrong(std::string(parts.error().message()));
  }
  std::string target = std::move(parts->target);
  auto queried = append_query(find(with, "query"), &target);
  if (!queried.ok()) {
    return std::move(queried).error();
  }
  net::Request seen;
  auto parsed = net::parse_target(target, &seen);
  if (!parsed.ok() || target.size() > target_bytes_max) {
    return wrong(parsed.ok() ? fmt::format("path and query take {} bytes, at most {} are sent",
                                           target.size(), target_bytes_max)
                             : std::string(parsed.error().message()));
  }
  auto headers = headers_of(find(with, "headers"));
  if (!headers.ok()) {
    return std::move(headers).error();
  }
  const Json* body = find(with, "body");
  const Json* authentication = find(with, "authentication");
  auto fits = check_body(*method, body, *headers);
  fits = fits.ok() ? check_authentication(authentication) : std::move(fits);
  if (!fits.ok()) {
    return std::move(fits).error();
  }
  JsonObject query = query_of(seen);
  OperationCall call;
  call.connector = std::move(parts->origin);
  call.operation = method->name;
  call.operation += method->takes_key && headers->contains("idempotency-key") ? " with key" : "";
  call.unseen = JsonObject{{"target", target},
                           {"path", seen.path},
                           {"query", query},
                           {"output", text_or(with, "output", "content")},
                           {"redirect", bool_or(with, "redirect", false)},
                           {"authentication", authentication ? *authentication : Json()},
                           {"key", text_or(*headers, "idempotency-key", "")}};
  JsonObject arguments{{"method", method->name}, {"path", seen.path}};
  if (!query.empty()) {
    arguments["query"] = std::move(query);
  }
  if (!headers->empty()) {
    arguments["headers"] = std::move(*headers);
  }
  if (body != nullptr && !body->is_null()) {
    arguments["body"] = *body;
  }
  call.arguments = std::move(arguments);
  return call;
}

}  // namespace aios::connectors

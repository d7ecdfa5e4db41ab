// SPDX-License-Identifier: Apache-2.0
#include "ingress/detail/webhook_body.h"

#include "core/text.h"

#include <algorithm>
#include <utility>

namespace aios::ingress {
namespace {

constexpr std::size_t fields_max = 1'000;
constexpr std::size_t challenge_characters_max = 200;

Result<std::string> form_text(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  auto decoded = net::percent_decode(spaced);
  if (decoded.ok() && !is_utf8(*decoded)) {
    return Error(Code::invalid_argument, "a field is not UTF-8");
  }
  return decoded;
}

/// Nothing for a form that is none.
std::optional<Json> form_of(std::string_view body) {
  JsonObject out;
  for (const auto field : split(body, '&')) {
    const auto equals = field.find('=');
    auto name = form_text(field.substr(0, equals));
    auto value = form_text(equals == std::string_view::npos ? "" : field.substr(equals + 1));
    if (!name.ok() || !value.ok() || out.size() >= fields_max) {
      return std::nullopt;
    }
    out.emplace(*name, std::move(*value));  // the first of a name
  }
  return out;
}

}  // namespace

Json webhook_body(const net::Request& request) {
  if (request.body.empty()) {
    return nullptr;
  }
  if (request.headers.get("content-type").starts_with("application/x-www-form-urlencoded")) {
    if (auto form = form_of(request.body)) {
      return std::move(*form);
    }
  }
  if (auto parsed = parse_json(request.body); parsed.ok()) {
    return std::move(*parsed);
  }
  if (is_utf8(request.body)) {
    return Json(request.body);
  }
  return Json(to_base64(request.body));
}

JsonObject webhook_headers(const net::Request& request) {
  JsonObject out;
  out.reserve(request.headers.size());
  for (const auto& header : request.headers) {
    const bool secret = header.name == "authorization" || header.name == "cookie" ||
                        header.name == "proxy-authorization";
    if (!secret && is_utf8(header.value) && is_utf8(header.name)) {
      out.emplace(header.name, header.value);
    }
  }
  return out;
}

std::optional<std::string> slack_challenge(const Json& body) {
  const auto challenge = text_or(body, "challenge", "");
  if (text_or(body, "type", "") != "url_verification" || challenge.empty() ||
      challenge.size() > challenge_characters_max) {
    return std::nullopt;
  }
  return std::string(challenge);
}

}  // namespace aios::ingress

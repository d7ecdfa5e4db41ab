// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/http_call.h"

#include "connectors/http_call.h"
#include "core/text.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

constexpr int page_not_supported = 1002;
constexpr int page_wrong = 1061;
constexpr int page_same_key = 1063;
constexpr int page_credentials = 1067;

bool is_expression(const Json& value) {
  return value.is_string() && trim(view(value.get_string())).starts_with("${");
}

void check_method(TaskLoader& loader, const Json& with, const std::string& pointer) {
  const Json* method = find(with, "method");
  if (method == nullptr || !method->is_string() || is_expression(*method)) {
    return;  // the function's schema asks for it
  }
  const auto name = view(method->get_string());
  const connectors::HttpMethod* known = connectors::http_method(name);
  if (known == nullptr) {
    loader.fail(pointer + "/method",
                fmt::format("found the method '{}', wanted one of {}", excerpt(name, 20),
                            connectors::http_method_names()),
                page_wrong);
  } else if (!known->takes_body && find(with, "body") != nullptr) {
    loader.fail(pointer + "/body", fmt::format("a {} has no body", known->name), page_wrong);
  }
}

void check_headers(TaskLoader& loader, const Json& with, const std::string& pointer) {
  const Json* headers = find(with, "headers");
  if (headers == nullptr || !headers->is_object()) {
    return;
  }
  for (const auto& member : headers->get_object()) {
    const std::string name(member.key());
    const std::string refusal = connectors::header_refusal(name);
    if (!refusal.empty()) {
      loader.fail(fmt::format("{}/headers/{}", pointer, name), refusal, page_wrong);
    } else if (ascii_lower(name) == "idempotency-key" && !is_expression(member.value())) {
      loader.fail(fmt::format("{}/headers/{}", pointer, name),
                  "the key is the same for every run, so a system that honours it would act once "
                  "for all of them; wanted an expression such as '${ $workflow.id + \"/pay\" }'",
                  page_same_key);
    }
  }
}

/// A text that is a credential itself.
void expect_expression(TaskLoader& loader, const Json& given, const std::string& pointer,
                       std::string_view member) {
  const Json* value = loader.member(given, pointer, member, "string", true);
  if (value != nullptr && !is_expression(*value) && member != "username") {
    loader.fail(fmt::format("{}/{}", pointer, member),
                fmt::format("a '{}' stands in the document; wanted 'use' with the name of a secret",
                            member),
                page_credentials);
  }
}

}  // namespace

bool HttpCall::is_named(std::string_view call) {
  return call == "http" || call == "http:1.0.0@default";
}

std::optional<HttpCall> HttpCall::load(TaskLoader& loader, const Json* with,
                                       const std::string& pointer) {
  const auto known = loader.function("http:1.0.0@default", with, pointer);
  if (with == nullptr || known.empty()) {
    return std::nullopt;
  }
  const std::string at = pointer + "/with";
  HttpCall out;
  out.with_ = loader.expression(*with, at, BareText::literal, {});
  check_method(loader, *with, at);
  check_headers(loader, *with, at);
  const Json* endpoint = find(*with, "endpoint");
  if (endpoint == nullptr || !out.load_endpoint(loader, *endpoint, at + "/endpoint")) {
    return std::nullopt;
  }
  return out;
}

bool HttpCall::load_endpoint(TaskLoader& loader, const Json& endpoint, const std::string& pointer) {
  if (endpoint.is_string()) {
    load_uri(loader, endpoint, pointer);
    return true;
  }
  if (!endpoint.is_object()) {
    return false;  // the schema says so
  }
  loader.only(endpoint, pointer, {"uri", "authentication"});
  const Json* uri = loader.member(endpoint, pointer, "uri", "string", true);
  if (uri != nullptr) {
    load_uri(loader, *uri, pointer + "/uri");
  }
  const Json* given = loader.member(endpoint, pointer, "authentication", "object", false);
  if (given != nullptr) {
    load_authentication(loader, *given, pointer + "/authentication");
  }
  return uri != nullptr;
}

void HttpCall::load_uri(TaskLoader& loader, const Json& uri, const std::string& pointer) {
  if (is_expression(uri)) {
    return;
  }
  auto parsed = UriTemplate::parse(view(uri.get_string()));
  if (!parsed.ok()) {
    loader.fail(pointer, std::string(parsed.error().message()), page_wrong);
    return;
  }
  // With names in it, as far as it can be read: a name's value is known when it runs.
  const auto sample = parsed->expand(Json(JsonObject()));
  const auto origin = connectors::origin_of_url(sample.ok() ? *sample : "");
  if (parsed->names().empty() && !origin.ok()) {
    loader.fail(pointer, std::string(origin.error().message()), page_wrong);
  }
  uri_ = std::move(*parsed);
}

void HttpCall::load_authentication(TaskLoader& loader, const Json& given, std::string pointer) {
  const Json* policy = &given;
  if (const Json* use = find(given, "use"); use != nullptr) {
    loader.only(given, pointer, {"use"});
    if (!use->is_string()) {
      loader.fail(pointer + "/use", "wanted the name of an entry of 'use.authentications'", 1000);
      return;
    }
    policy = loader.referable(*use, pointer + "/use", "authentications", &pointer);
    if (policy == nullptr) {
      return;
    }
  }
  for (const char* absent : {"digest", "oauth2", "oidc", "certificate"}) {
    if (find(*policy, absent) != nullptr) {
      loader.fail(
          fmt::format("{}/{}", pointer, absent),
          fmt::format("'{}' authentication is not supported; supported: basic, bearer", absent),
          page_not_supported);
      return;
    }
  }
  loader.only(*policy, pointer, {"basic", "bearer"});
  const char* scheme = find(*policy, "basic") != nullptr ? "basic" : "bearer";
  const Json* body = loader.member(*policy, pointer, scheme, "object", true);
  if (body == nullptr) {
    return;
  }
  const std::string at = fmt::format("{}/{}", pointer, scheme);
  if (find(*body, "use") != nullptr) {
    loader.only(*body, at, {"use"});
    if (const Json* name = loader.member(*body, at, "use", "string", true); name != nullptr) {
      loader.secret(std::string(view(name->get_string())), at + "/use");
    }
  } else if (scheme == std::string_view("basic")) {
    loader.only(*body, at, {"username", "password"});
    expect_expression(loader, *body, at, "username");
    expect_expression(loader, *body, at, "password");
  } else {
    loader.only(*body, at, {"token"});
    expect_expression(loader, *body, at, "token");
  }
  authentication_ = loader.expression(*policy, pointer, BareText::literal, {});
}

Result<Json> HttpCall::arguments(TaskScope& scope, const Json& dot) const {
  auto made = scope.evaluate(with_, dot, {});
  if (!made.ok()) {
    return made;
  }
  JsonObject out = made->is_object() ? made->get_object() : JsonObject();
  const Json* endpoint = out.if_contains("endpoint");
  Json uri = endpoint == nullptr ? Json() : *endpoint;
  if (uri.is_object()) {
    const Json* inner = find(uri, "uri");
    uri = inner == nullptr ? Json() : Json(*inner);
  }
  out.erase("endpoint");
  if (uri_) {
    auto expanded = uri_->expand(dot);
    if (!expanded.ok()) {
      return std::move(expanded).error();
    }
    uri = std::move(*expanded);
  }
  out["uri"] = std::move(uri);
  if (authentication_.present()) {
    auto authentication = scope.evaluate(authentication_, dot, {});
    if (!authentication.ok()) {
      return authentication;
    }
    out["authentication"] = std::move(*authentication);
  }
  return Json(std::move(out));
}

}  // namespace aios::workflow

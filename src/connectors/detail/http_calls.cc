// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/http_calls.h"

#include "connectors/detail/egress.h"
#include "connectors/detail/http_allowed.h"
#include "connectors/detail/http_answer.h"
#include "connectors/detail/outgoing.h"
#include "core/text.h"
#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace aios::connectors::detail {

namespace {

constexpr std::string_view keyed_ending = " with key";

Error too_large() {
  return Error(Code::data_loss,
               fmt::format("the answer's body takes more than the {} bytes that are read",
                           http_body_bytes_max))
      .page(1065);
}

/// The name of the secret that authenticates the call; empty: none.
std::string secret_of(const OperationCall& call) {
  const Json* authentication = find(call.unseen, "authentication");
  for (const char* scheme : {"basic", "bearer"}) {
    const Json* given = authentication == nullptr ? nullptr : find(*authentication, scheme);
    if (given != nullptr) {
      return std::string(text_or(*given, "use", ""));
    }
  }
  return {};
}

class HttpCalls final : public Connector {
 public:
  HttpCalls(KindServices services, Egress egress)
      : services_(std::move(services)),
        egress_(std::move(egress)) {
    limits_.concurrency = 16;
    for (const HttpMethod& method : http_methods()) {
      const std::string name(method.name);
      add(name, name, method.effect);
      if (method.takes_key) {
        add(name + std::string(keyed_ending), name, EffectClass::key);
      }
    }
  }

  std::vector<std::string> operations() const override {
    std::vector<std::string> out;
    for (const HttpMethod& method : http_methods()) {
      out.emplace_back(method.name);
    }
    return out;
  }
  const OperationInfo* describe(std::string_view operation) const override {
    const auto found = infos_.find(operation);
    return found == infos_.end() ? nullptr : &found->second;
  }
  const Limits& limits() const override { return limits_; }
  std::vector<std::string> secrets() const override { return {}; }
  std::vector<std::string> secrets_of(const OperationCall& call) const override {
    std::string secret = secret_of(call);
    return secret.empty() ? std::vector<std::string>()
                          : std::vector<std::string>{std::move(secret)};
  }
  Result<void> rehearse(const govern::Decision& decision, const OperationCall& call) const override;
  Result<Json> recall(const OperationCall& /*call*/, const Json& /*result*/) const override {
    return Json(nullptr);
  }
  Task<Performed> perform(Context ctx, govern::Permit permit, OperationCall call) override;
  Task<LookedUp> lookup(Context ctx, govern::Permit permit, OperationCall call) override;

 private:
  void add(std::string name, std::string method, EffectClass effect);
  Result<std::string> authorization(const OperationCall& call) const;
  Result<net::ClientRequest> make_request(const OperationCall& call) const;
  Verdict judge(const net::Response& response, const OperationCall& call) const;

  KindServices services_;
  const Egress egress_;
  Limits limits_;
  std::map<std::string, OperationInfo, std::less<>> infos_;
};

void HttpCalls::add(std::string name, std::string method, EffectClass effect) {
  OperationInfo info;
  info.connector = egress_.origin;
  info.kind = std::string(http_calls_kind);
  info.operation = std::move(method);
  info.region = egress_.region;
  info.origin = egress_.origin;
  info.names_effect = effect == EffectClass::key;
  info.effect = effect;
  info.timeout = egress_.timeout;
  infos_[std::move(name)] = std::move(info);
}

/// The value of the header that authenticates; empty: there is none.
Result<std::string> HttpCalls::authorization(const OperationCall& call) const {
  const Json* authentication = find(call.unseen, "authentication");
  const Json* basic = authentication == nullptr ? nullptr : find(*authentication, "basic");
  const Json* bearer = authentication == nullptr ? nullptr : find(*authentication, "bearer");
  if (basic == nullptr && bearer == nullptr) {
    return std::string();
  }
  std::string value;
  if (const std::string name = secret_of(call); !name.empty()) {
    auto secret = services_.secret(name);
    if (!secret.ok()) {
      return Error(Code::unavailable, std::string(secret.error().message()), Retry::same_call)
          .page(906);
    }
    value = std::move(*secret);
  } else if (basic != nullptr) {
    value = fmt::format("{}:{}", text_or(*basic, "username", ""), text_or(*basic, "password", ""));
  } else {
    value = text_or(*bearer, "token", "");
  }
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
  });
  if (!plain || (basic != nullptr && value.find(':') == std::string::npos)) {
    return Error(Code::invalid_argument, basic != nullptr
                                             ? "what authenticates the call is not 'user:password'"
                                             : "what authenticates the call has control characters")
        .page(1061);
  }
  return basic != nullptr ? "Basic " + to_base64(value) : "Bearer " + value;
}

Result<net::ClientRequest> HttpCalls::make_request(const OperationCall& call) const {
  auto target = allowed_target(call);
  if (!target.ok()) {
    return std::move(target).error();
  }
  auto authorized = authorization(call);
  if (!authorized.ok()) {
    return std::move(authorized).error();
  }
  net::ClientRequest request;
  request.method = text_or(call.arguments, "method", "");
  request.url = egress_.origin + *target;
  request.response_bytes_max = http_body_bytes_max;
  request.reach = egress_.private_allowed ? net::Reach::anywhere : net::Reach::public_only;
  request.headers.set("accept", "application/json, */*;q=0.5");
  request.headers.set("user-agent", "aios");
  const EffectClass effect = describe(call.operation)->effect;
  if (effect == EffectClass::key) {
    request.headers.set("idempotency-key", call.effect_id);
  }
  if (const Json* headers = find(call.arguments, "headers"); headers != nullptr) {
    for (const auto& header : headers->get_object()) {
      request.headers.set(header.key(), header.value().is_string()
                                            ? view(header.value().get_string())
                                            : std::string_view(to_text(header.value())));
    }
  }
  if (!authorized->empty()) {
    request.headers.set("authorization", *authorized);
  }
  if (const Json* body = find(call.arguments, "body"); body != nullptr) {
    const bool as_it_is = body->is_string() && request.headers.has("content-type") &&
                          !is_json_type(request.headers.get("content-type"));
    request.body = as_it_is ? std::string(view(body->get_string())) : to_text(*body);
    if (!request.headers.has("content-type")) {
      request.headers.set("content-type", "application/json");
    }
  }
  return request;
}

Result<void> HttpCalls::rehearse(const govern::Decision& decision,
                                 const OperationCall& call) const {
  auto target = allowed_target(call);
  if (!target.ok()) {
    return std::move(target).error();
  }
  if (!demands_masking(decision)) {
    return {};
  }
  if (auto plain = check_credentials(call); !plain.ok()) {
    return plain;
  }
  const Json* body = find(call.arguments, "body");
  const std::vector<std::string_view> own = {call.effect_id, call.run_id};
  return check_masked({*target, body == nullptr ? std::nullopt : std::optional<Json>(*body)}, own);
}

Verdict HttpCalls::judge(const net::Response& response, const OperationCall& call) const {
  const EffectClass effect = describe(call.operation)->effect;
  const bool moved = response.status >= 300 && response.status < 400;
  if (moved && bool_or(call.unseen, "redirect", false)) {
    return {.outcome = Outcome::done, .error = std::nullopt};
  }
  if (const std::string secret = secret_of(call); response.status == 401 && !secret.empty()) {
    return secret_not_taken(secret);
  }
  Verdict verdict = judge_answer(response, effect, {});
  if (moved) {
    verdict.error = Error(Code::failed_precondition,
                          fmt::format("the system answered {} {}: aios follows no redirection",
                                      response.status, net::reason_phrase(response.status)))
                        .page(1066);
  }
  return verdict;
}

/// The body: of JSON its value, else a text, else base64; null when empty.
Result<Json> content_of(const net::Response& response) {
  if (response.body.empty()) {
    return Json(nullptr);
  }
  if (!is_json_type(response.headers.get("content-type"))) {
    return is_utf8(response.body) ? Json(response.body) : Json(to_base64(response.body));
  }
  auto value = parse_json(response.body);
  if (!value.ok()) {
    return Error(Code::data_loss, "the answer's body is not the JSON it claims to be").page(905);
  }
  return value;
}

Result<Json> output_of(const OperationCall& call, const std::string& uri,
                       const net::Response& response) {
  const std::string_view form = text_or(call.unseen, "output", "content");
  if (form == "raw") {
    return Json(to_base64(response.body));
  }
  auto content = content_of(response);
  if (!content.ok() || form != "response") {
    return content;
  }
  JsonObject headers;
  for (const net::Header& field : response.headers) {
    const bool keeps_a_session = field.name == "set-cookie";
    if (!keeps_a_session && !headers.contains(field.name) && is_utf8(field.value)) {
      headers[field.name] = field.value;
    }
  }
  const Json* sent = find(call.arguments, "headers");
  return Json(
      JsonObject{{"request", JsonObject{{"method", text_or(call.arguments, "method", "")},
                                        {"uri", uri},
                                        {"headers", sent == nullptr ? Json(JsonObject()) : *sent}}},
                 {"statusCode", response.status},
                 {"headers", std::move(headers)},
                 {"content", std::move(*content)}});
}

Performed not_done(Outcome outcome, Error error) {
  Performed performed;
  performed.outcome = outcome;
  performed.error = std::move(error);
  return performed;
}

Performed without_answer(Error error, EffectClass effect) {
  const bool large = error.page() == 315 && net::sent_of(error) == net::Sent::maybe;
  auto verdict = judge_failure(std::move(error), effect);
  if (large) {
    return not_done(verdict.outcome, too_large());
  }
  return not_done(verdict.outcome, std::move(*verdict.error));
}

Task<Performed> HttpCalls::perform(Context ctx, govern::Permit permit, OperationCall call) {
  auto fits = permit.check(ctx, govern::GuardPoint::connector_egress);
  if (!fits.ok()) {
    co_return not_done(Outcome::failed, std::move(fits).error());
  }
  const OperationInfo* info = describe(call.operation);
  AIOS_ASSERT(info != nullptr);
  auto request = make_request(call);
  if (!request.ok()) {
    co_return not_done(Outcome::failed, std::move(request).error());
  }
  const std::string uri = request->url;
  std::string image = request_image(*request);
  auto sending = services_.client->send(std::move(ctx), std::move(*request));
  auto response = co_await std::move(sending);
  const bool left = response.ok() || net::sent_of(response.error()) != net::Sent::nothing;
  Performed performed;
  if (!response.ok()) {
    performed = without_answer(std::move(response).error(), info->effect);
    performed.request = left ? std::move(image) : std::string();
    co_return performed;
  }
  auto verdict = judge(*response, call);
  performed.request = std::move(image);
  performed.answer = answer_image(*response);
  performed.outcome = verdict.outcome;
  performed.spared = verdict.spared;
  if (verdict.outcome != Outcome::done) {
    performed.error = std::move(verdict.error);
    performed.status = response->status;
    co_return performed;
  }
  auto output = output_of(call, uri, *response);
  if (output.ok()) {
    performed.result = std::move(*output);
    co_return performed;
  }
  performed.outcome = info->effect == EffectClass::read ? Outcome::failed : Outcome::unknown;
  performed.error = std::move(output).error();
  co_return performed;
}

Task<LookedUp> HttpCalls::lookup(Context /*ctx*/, govern::Permit /*permit*/, OperationCall call) {
  LookedUp looked_up;
  looked_up.error =
      Error(Code::failed_precondition, fmt::format("operation '{}' has no look-up", call.operation))
          .page(901);
  co_return looked_up;
}

}  // namespace

std::unique_ptr<Connector> make_http_calls(const KindServices& services, const Egress& egress) {
  return std::make_unique<HttpCalls>(services, egress);
}

}  // namespace aios::connectors::detail

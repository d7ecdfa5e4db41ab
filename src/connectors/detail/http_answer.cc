// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/http_answer.h"

#include "core/text.h"
#include "govern/opening.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace aios::connectors::detail {

namespace {

constexpr std::int64_t retry_after_seconds_max = 3600;

std::optional<Duration> retry_after(const net::Response& response) {
  const std::string_view text = trim(response.headers.get("retry-after"));
  if (text.empty() || text.size() > 9) {
    return std::nullopt;  // also the date form, which few services send
  }
  std::int64_t seconds = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    seconds = seconds * 10 + (c - '0');
  }
  return std::chrono::seconds(std::min(seconds, retry_after_seconds_max));
}

Code usual_code(int status) {
  switch (status) {
    case 401: return Code::unauthenticated;
    case 403: return Code::permission_denied;
    case 404:
    case 410: return Code::not_found;
    case 408: return Code::unavailable;
    case 409:
    case 412: return Code::failed_precondition;
    case 429: return Code::rate_limited;
    case 501: return Code::unimplemented;
    default: break;
  }
  if (status >= 500) {
    return Code::unavailable;
  }
  return status >= 400 ? Code::invalid_argument : Code::failed_precondition;
}

/// A redirection says where to look, not that nothing was done: many systems answer a form that
/// they took with 302 or 303.
bool may_have_acted(int status) {
  return (status >= 300 && status < 400) || status == 408 || status >= 500;
}

Retry usual_retry(int status) {
  const bool passing = status == 408 || status == 429 || (status >= 500 && status != 501);
  return passing ? Retry::same_call : Retry::never;
}

}  // namespace

bool is_json_type(std::string_view content_type) {
  const std::string type = ascii_lower(
      trim(content_type.substr(0, std::min(content_type.find(';'), content_type.size()))));
  return type == "application/json" || type.ends_with("+json");
}

const StatusRule* rule_for(int status, const std::vector<StatusRule>& rules) {
  for (const StatusRule& rule : rules) {
    if (std::find(rule.statuses.begin(), rule.statuses.end(), status) != rule.statuses.end()) {
      return &rule;
    }
  }
  return nullptr;
}

Verdict judge_answer(const net::Response& response, EffectClass effect,
                     const std::vector<StatusRule>& rules) {
  const int status = response.status;
  const StatusRule* rule = rule_for(status, rules);
  if (rule == nullptr && status >= 200 && status < 300) {
    return {.outcome = Outcome::done, .error = std::nullopt};
  }
  const StatusRule none;
  const StatusRule& chosen = rule == nullptr ? none : *rule;
  Verdict verdict;
  const bool unknown = effect != EffectClass::read && may_have_acted(status);
  verdict.outcome = chosen.outcome.value_or(unknown ? Outcome::unknown : Outcome::failed);
  if (effect == EffectClass::read) {
    verdict.outcome = Outcome::failed;
  }
  Error error(chosen.code.value_or(usual_code(status)),
              fmt::format("the system answered {} {}", status, net::reason_phrase(status)),
              chosen.retry.value_or(usual_retry(status)));
  verdict.error = std::move(error).page(904);
  if (const auto pause = retry_after(response)) {
    verdict.error = std::move(*verdict.error).after(*pause);
  }
  return verdict;
}

Verdict secret_not_taken(const std::string& secret) {
  Error error(Code::unauthenticated,
              fmt::format("secret '{}' is not taken: the system answered 401 {}", secret,
                          net::reason_phrase(401)),
              Retry::same_call);
  return {.outcome = Outcome::failed,
          .error = std::move(error).page(911).after(secret_pause),
          .spared = true};
}

Verdict judge_failure(Error error, EffectClass effect) {
  if (net::sent_of(error) == net::Sent::nothing) {
    return {.outcome = Outcome::failed, .error = std::move(error)};
  }
  if (effect == EffectClass::read) {
    // Nothing changes by reading again, whatever became of the first time.
    Error again(error.code(), error.message(),
                error.code() == Code::cancelled ? Retry::never : Retry::same_call);
    return {.outcome = Outcome::failed, .error = std::move(again).page(error.page())};
  }
  return {.outcome = Outcome::unknown, .error = std::move(error)};
}

Result<Json> answer_to_json(const net::Response& response) {
  JsonObject headers;
  for (const net::Header& field : response.headers) {
    if (!headers.contains(field.name) && is_utf8(field.value)) {
      headers[field.name] = field.value;
    }
  }
  JsonObject out;
  out["status"] = response.status;
  out["headers"] = std::move(headers);
  if (response.body.empty()) {
    out["body"] = nullptr;
  } else if (is_json_type(response.headers.get("content-type"))) {
    auto body = parse_json(response.body);
    if (!body.ok()) {
      return Error(Code::data_loss, "the answer's body is not the JSON it claims to be",
                   Retry::same_call)
          .page(905);
    }
    out["body"] = std::move(*body);
  } else if (is_utf8(response.body)) {
    out["body"] = response.body;
  } else {
    return Error(Code::data_loss, "the answer's body is neither JSON nor UTF-8 text",
                 Retry::same_call)
        .page(905);
  }
  return Json(std::move(out));
}

std::string request_image(const net::ClientRequest& request) {
  JsonObject image{{"method", request.method}, {"url", request.url}};
  if (!request.body.empty()) {
    image["body"] = request.body;
  }
  return govern::content_of(image);
}

std::string answer_image(const net::Response& response) {
  JsonObject image{{"status", response.status}};
  if (is_utf8(response.body)) {
    image["body"] = response.body;
  } else {
    image["body"] = JsonObject{{"base64", to_base64(response.body)}};
  }
  return govern::content_of(image);
}

}  // namespace aios::connectors::detail

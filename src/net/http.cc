// SPDX-License-Identifier: Apache-2.0
#include "net/http.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace aios::net {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// @param lower_name  already in lower case.
bool same_name(std::string_view lower_name, std::string_view any_case) {
  return lower_name.size() == any_case.size() &&
         std::equal(lower_name.begin(), lower_name.end(), any_case.begin(),
                    [](char a, char b) { return a == lower(b); });
}

std::string_view find_value(const std::vector<std::pair<std::string, std::string>>& pairs,
                            std::string_view name) {
  for (const auto& [key, value] : pairs) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

struct StatusName {
  int status;
  std::string_view name;
};
// RFC 9110 section 15, RFC 6585.
constexpr StatusName status_names[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

std::int64_t seconds_up(std::chrono::nanoseconds pause) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(pause).count();
  return std::max<std::int64_t>(seconds, 0);
}

}  // namespace

void Headers::add(std::string_view name, std::string_view value) {
  Header& item = items_.emplace_back();
  item.name.resize(name.size());
  std::transform(name.begin(), name.end(), item.name.begin(), lower);
  item.value.assign(value);
}

void Headers::set(std::string_view name, std::string_view value) {
  std::erase_if(items_, [name](const Header& item) { return same_name(item.name, name); });
  add(name, value);
}

std::string_view Headers::get(std::string_view name) const {
  for (const Header& item : items_) {
    if (same_name(item.name, name)) {
      return item.value;
    }
  }
  return {};
}

bool Headers::has(std::string_view name) const { return count(name) != 0; }

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(items_.begin(), items_.end(),
                    [name](const Header& item) { return same_name(item.name, name); }));
}

std::string_view Request::query_value(std::string_view name) const {
  return find_value(query, name);
}

std::string_view Request::path_value(std::string_view name) const {
  return find_value(path_parameters, name);
}

Response json_response(int status, const Json& body) {
  Response response;
  response.status = status;
  response.headers.add("content-type", "application/json");
  response.body = to_text(body);
  return response;
}

Response text_response(int status, std::string body, std::string_view content_type) {
  Response response;
  response.status = status;
  response.headers.add("content-type", content_type);
  response.body = std::move(body);
  return response;
}

namespace {

int status_of(Code code) {
  switch (code) {
    case Code::cancelled: return 499;  // the caller went away; nobody reads it
    case Code::invalid_argument: return 400;
    case Code::deadline_exceeded: return 504;
    case Code::not_found: return 404;
    case Code::already_exists: return 409;
    case Code::permission_denied: return 403;
    case Code::unauthenticated: return 401;
    case Code::resource_exhausted: return 503;
    case Code::failed_precondition: return 409;
    case Code::aborted: return 409;
    case Code::unimplemented: return 501;
    case Code::internal: return 500;
    case Code::unavailable: return 503;
    case Code::data_loss: return 500;
    case Code::policy_denied: return 403;
    case Code::budget_exceeded: return 402;
    case Code::rate_limited: return 429;
  }
  return 500;
}

}  // namespace

std::string_view reason_phrase(int status) {
  for (const StatusName& entry : status_names) {
    if (entry.status == status) {
      return entry.name;
    }
  }
  return "Status";
}

// A bound that the same call will meet again (a document too deep, a list too long) is the caller's
// to mend; one that passes (a queue, a full disk) is ours: 503, as its code says.
Response problem(const Error& error) {
  const bool lasting =
      error.code() == Code::resource_exhausted && error.retry() != Retry::same_call;
  return problem(lasting ? 422 : status_of(error.code()), error);
}

Response problem(int status, const Error& error) {
  const std::string page = page_text(error.page());
  JsonObject body;
  body["type"] = page.empty() ? "about:blank" : "/docs/errors/" + page;
  body["title"] = std::string(reason_phrase(status));
  body["status"] = status;
  body["detail"] = error.message();
  body["code"] = std::string(name_of(error.code()));
  body["retry"] = std::string(name_of(error.retry()));
  if (!page.empty()) {
    body["page"] = page;
  }
  if (!error.file().empty()) {
    body["file"] = error.file();
    body["line"] = error.line();
    body["column"] = error.column();
  }
  Response response = json_response(status, Json(std::move(body)));
  response.headers.set("content-type", "application/problem+json");
  if (error.retry_after()) {
    response.headers.add("retry-after", fmt::format("{}", seconds_up(*error.retry_after())));
  }
  if (status == 401) {
    response.headers.add("www-authenticate", "Bearer");
  }
  return response;
}

}  // namespace aios::net

// SPDX-License-Identifier: Apache-2.0
#include "app/reach.h"

#include "app/address.h"
#include "core/json.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fstream>
#include <optional>

namespace aios::app {
namespace {

constexpr int page_wants_tls = 343;
constexpr auto call_timeout = std::chrono::seconds(90);
constexpr auto train_timeout = std::chrono::minutes(10);
constexpr auto backup_timeout = std::chrono::hours(24);  // whoever gives up takes the folder away

/// A name of the loopback as its address, so that the two are one.
std::string resolved(std::string address) {
  for (const std::string scheme : {"http://", "https://"}) {
    const std::string name = scheme + "localhost:";
    if (ascii_lower(address).starts_with(name)) {
      return scheme + "127.0.0.1:" + address.substr(name.size());
    }
  }
  return address;
}

/// A server of ours that has no room for another connection, or speaks only TLS, says so itself.
std::optional<Error> refusal_of(const net::Response& answer) {
  const auto document =
      answer.status == 503 || answer.status == 400 ? parse_json(answer.body) : Json();
  if (!document.ok()) {
    return std::nullopt;
  }
  const int page = parse_page(text_or(*document, "page", ""));
  std::string detail(text_or(*document, "detail", ""));
  if (answer.status == 503 && page == page_no_room) {
    return Error(Code::unavailable, std::move(detail), Retry::same_call).page(page);
  }
  if (answer.status == 400 && page == page_wants_tls) {
    return Error(Code::invalid_argument,
                 "the server speaks TLS alone: write https:// in its address, and --tls-ca FILE "
                 "for a certificate of an authority of your own")
        .page(page);
  }
  return std::nullopt;
}

}  // namespace

bool is_up(const Error& error) {
  return error.retry() == Retry::same_call &&
         (error.page() == page_no_server || error.page() == page_no_room);
}

Duration timeout_of(const Call& call) {
  if (call.method == "POST" && call.path == backup_path) {
    return backup_timeout;
  }
  const bool trains = call.method == "POST" && call.path.starts_with("/api/v1/models/") &&
                      (call.path.ends_with("/train") || call.path.ends_with("/screen"));
  return trains ? Duration(train_timeout) : Duration(call_timeout);
}

Result<void> check_probe(const std::string& server, const Result<net::Response>& answer) {
  if (!answer.ok() && answer.error().code() == Code::deadline_exceeded) {
    return Error(
               Code::unavailable,
               fmt::format("{} takes connections but does not answer within {} s: is it stopped, "
                           "or under heavy load?",
                           server,
                           std::chrono::duration_cast<std::chrono::seconds>(probe_timeout).count()),
               Retry::same_call)
        .page(page_no_server);
  }
  if (!answer.ok()) {
    const Error& why = answer.error();
    return Error(why.code(),
                 fmt::format("no server answers at {}: {}; start one with 'aios serve', or look at "
                             "--server, AIOS_SERVER and AIOS_DATA",
                             server, why.message()),
                 why.retry())
        .page(why.page());
  }
  if (const auto busy = refusal_of(*answer)) {
    return Error(*busy).with("calling " + server);
  }
  if (answer->status != 200 || answer->body != "ok\n") {
    return Error(Code::unavailable,
                 fmt::format("{} answered {} but is no aios server", server, answer->status))
        .page(page_no_server);
  }
  return {};
}

bool is_server_of(const std::string& server, const std::string& data) {
  std::ifstream file(data + "/server.address");
  std::string line;
  std::getline(file, line);
  const auto own = server_address(trim(line));
  return own.ok() && resolved(*own) == resolved(server);
}

}  // namespace aios::app

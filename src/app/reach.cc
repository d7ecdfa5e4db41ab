// SPDX-License-Identifier: Apache-2.0
#include "app/reach.h"

#include "app/address.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fstream>

namespace aios::app {
namespace {

constexpr auto call_timeout = std::chrono::seconds(90);
constexpr auto long_call_timeout = std::chrono::minutes(10);

/// A name of the loopback as its address, so that the two are one.
std::string resolved(std::string address) {
  constexpr std::string_view name = "http://localhost:";
  return ascii_lower(address).starts_with(name) ? "http://127.0.0.1:" + address.substr(name.size())
                                                : address;
}

}  // namespace

Duration timeout_of(const Call& call) {
  const bool is_long = call.path.ends_with("/train") || call.path.starts_with("/api/v1/backup");
  return is_long ? Duration(long_call_timeout) : Duration(call_timeout);
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
    return Error(answer.error()).with("calling " + server);
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

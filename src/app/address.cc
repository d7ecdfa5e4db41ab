// SPDX-License-Identifier: Apache-2.0
#include "app/address.h"

#include "core/text.h"
#include "net/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace aios::app {
namespace {

constexpr std::size_t shown_characters_max = 80;
constexpr std::string_view schemes[] = {"http://", "https://"};

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [at, failed] = std::from_chars(text.data(), end, port);
  return failed == std::errc() && at == end ? std::optional(port) : std::nullopt;
}

/// Where the colon before the port is, not one inside an IPv6 address in brackets; npos without.
std::size_t port_colon(std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  return authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
}

Error wrong_server(std::string_view text, std::string_view why) {
  return Error(Code::invalid_argument,
               fmt::format("server address '{}' {}", excerpt(text, shown_characters_max), why))
      .page(1415);
}

Error wrong_listen(std::string_view text, std::string_view why) {
  return Error(Code::invalid_argument,
               fmt::format("listen address '{}' {}, wanted HOST:PORT such as 127.0.0.1:8787",
                           excerpt(text, shown_characters_max), why))
      .page(1406);
}

}  // namespace

Result<std::string> server_address(std::string_view text) {
  std::string_view rest;
  for (const std::string_view scheme : schemes) {
    if (ascii_lower(text).starts_with(scheme)) {
      rest = text.substr(scheme.size());
    }
  }
  if (rest.data() == nullptr) {
    const std::string hint = text.find("://") == std::string_view::npos &&
                                     net::check_url(fmt::format("http://{}", text)).ok()
                                 ? fmt::format("; did you mean 'http://{}'?", text)
                                 : "";
    return wrong_server(text, "does not begin with http:// or https://" + hint);
  }
  if (rest.find('@') != std::string_view::npos) {  // not repeated: it may hold a password
    return Error(Code::invalid_argument,
                 "the server address has a user before its host; the key goes into --key-file or "
                 "AIOS_KEY")
        .page(1415);
  }
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  if (rest.find_first_not_of('/', end) != std::string_view::npos) {
    return wrong_server(text, fmt::format("goes on after host and port with '{}'",
                                          excerpt(rest.substr(end), shown_characters_max)));
  }
  const std::string_view authority = rest.substr(0, end);
  const std::size_t colon = port_colon(authority);
  if (authority.empty() || colon == 0) {
    return wrong_server(text, "has no host");
  }
  if (colon != std::string_view::npos && port_of(authority.substr(colon + 1)).value_or(0) == 0) {
    return wrong_server(text, fmt::format("has the port '{}', wanted a number from 1 to 65535",
                                          authority.substr(colon + 1)));
  }
  const std::string address(text.substr(0, text.size() - (rest.size() - end)));
  if (!net::check_url(address).ok()) {
    return wrong_server(text, fmt::format("has the host '{}', which is no host name or address",
                                          authority.substr(0, colon)));
  }
  return address;
}

Result<ListenAddress> listen_address(std::string_view text) {
  if (text.find('/') != std::string_view::npos) {
    return wrong_listen(text, "has a scheme or a path");
  }
  const std::size_t colon = port_colon(text);
  if (colon == std::string_view::npos) {
    return wrong_listen(text, "has no port");
  }
  if (text.starts_with('[') ? text.find(']') + 1 != colon : text.rfind(':') != colon) {
    return wrong_listen(text, "has colons in its host: an IPv6 address stands in brackets");
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty()) {
    return wrong_listen(text, "has no host");
  }
  const std::string_view digits = text.substr(colon + 1);
  const auto port = port_of(digits);
  if (!port) {
    return wrong_listen(
        text, fmt::format("has the port '{}', which is no number from 0 to 65535", digits));
  }
  return ListenAddress{std::string(host), *port};
}

}  // namespace aios::app

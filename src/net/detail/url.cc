// SPDX-License-Identifier: Apache-2.0
#include "net/detail/url.h"

#include "core/text.h"
#include "net/detail/grammar.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::net::detail {

namespace {

Error bad(std::string_view text, std::string_view why) {
  return Error(Code::invalid_argument, fmt::format("the URL '{}' {}", excerpt(text, 120), why))
      .page(311);
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  Url url;
  const std::string scheme = ascii_lower(text.substr(0, 8));
  if (!scheme.starts_with("http://") && !scheme.starts_with("https://")) {
    return bad(text, "does not begin with http:// or https://");
  }
  url.tls = scheme.starts_with("https://");
  std::string_view rest = text.substr(url.tls ? 8 : 7);
  rest = rest.substr(0, std::min(rest.find('#'), rest.size()));
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  rest.remove_prefix(end);
  if (authority.find('@') != std::string_view::npos) {
    // The URL is not repeated: it may hold a password.
    return Error(Code::invalid_argument, "a URL has user info before its host; use a secret")
        .page(311);
  }
  if (authority.empty() || !is_host(authority)) {
    return bad(text, "has no host, or a bad one");
  }
  if (skip(target_set, rest, 0) != rest.size()) {
    return bad(text, "has characters that must be percent-encoded");
  }
  const std::size_t bracket = authority.find(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = ascii_lower(authority.substr(0, std::min(colon, authority.size())));
  url.port = url.tls ? 443 : 80;
  url.authority = url.host;
  std::uint64_t port = 0;
  if (colon != std::string_view::npos && read_length(authority.substr(colon + 1), &port)) {
    if (port == 0) {
      return bad(text, "has port 0");
    }
    if (port != url.port) {
      url.authority += fmt::format(":{}", port);
    }
    url.port = static_cast<std::uint16_t>(port);
  }
  if (url.host.starts_with('[')) {
    url.host = url.host.substr(1, url.host.size() - 2);
  }
  if (url.host.empty()) {
    return bad(text, "has no host, or a bad one");
  }
  url.target = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
  return url;
}

}  // namespace aios::net::detail

// SPDX-License-Identifier: Apache-2.0
// A request's target, and what becomes of its path in the router: nothing climbs, nothing hides.
#include "core/text.h"
#include "net/http.h"
#include "tests/fuzz/fuzz.h"

#include <algorithm>

namespace aios::fuzz {
namespace {

const net::Router& router() {
  static const net::Router& made = *[] {
    auto* out = new net::Router;  // lives as long as the process
    for (const char* pattern : {"/", "/a/{id}", "/a/b", "/a/{id}/c", "/files/{rest*}"}) {
      net::Route route;
      route.method = "GET";
      route.pattern = pattern;
      route.handler = [](Context, net::Request) -> Task<net::Response> {
        co_return net::Response();
      };
      out->add(std::move(route));
    }
    return out;
  }();
  return made;
}

}  // namespace

void request_target(std::string_view input) {
  net::Request request;
  request.method = "GET";
  if (net::parse_target(input, &request).ok()) {
    AIOS_ASSERT(is_utf8(request.path));
    AIOS_ASSERT(request.path == "*" || request.path.starts_with('/'));
    for (const auto segment : split(request.path, '/')) {
      AIOS_ASSERT(segment != "." && segment != "..");
    }
    AIOS_ASSERT(std::all_of(request.path.begin(), request.path.end(), [](char c) {
      return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    }));
    for (const auto& [name, value] : request.query) {
      AIOS_ASSERT(is_utf8(name) && is_utf8(value));
    }
    net::Request again;
    AIOS_ASSERT(net::parse_target(request.target, &again).ok());
    AIOS_ASSERT(again.path == request.path && again.query == request.query);
  }
  net::Request head;
  head.method = "GET";
  head.target = input;
  router().rule_body(head);
  const auto decoded = net::percent_decode(net::percent_encode(input));
  AIOS_ASSERT(decoded.ok() == is_utf8(input));
  AIOS_ASSERT(!decoded.ok() || *decoded == input);
}

}  // namespace aios::fuzz

// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/fuzz/message: a request as a person types it: fields, a blank line, the body.

#include "net/http.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

inline net::Request request_of(std::string_view input) {
  net::Request request;
  request.method = "POST";
  auto [head, body] = cut(input, "\n\n");
  while (!head.empty()) {
    const auto [line, rest] = cut(head, "\n");
    const auto [name, value] = cut(line, ": ");
    request.headers.add(name, value);
    head = rest;
  }
  request.body = body;
  return request;
}

}  // namespace aios::fuzz

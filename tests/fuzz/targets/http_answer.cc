// SPDX-License-Identifier: Apache-2.0
// An answer that a handler put together from what others wrote: first line status, then fields,
// a blank line, the body. Whatever stands in them, one message is sent, and it is that one.
#include "tests/fuzz/http_stream.h"

namespace aios::fuzz {

void http_answer(std::string_view input) {
  net::Response response;
  const bool close = choose(input, 2) == 1;
  response.status = 200 + choose(input, 250);
  const auto [head, body] = cut(input, "\n\n");
  std::string_view lines = head;
  while (!lines.empty() && response.headers.size() < 100) {
    const auto [line, rest] = cut(lines, "\n");
    const auto [name, value] = cut(line, ":");
    response.headers.add(name, value);
    lines = rest;
  }
  response.body = body;
  std::string text;
  const net::detail::AnswerForm form{.date = "Sat, 21 Nov 2026 08:00:00 GMT", .close = close};
  const bool has_body = net::detail::append_answer_head(response, form, &text);
  if (has_body) {
    text += response.body;
  }
  const auto read = read_stream(net::detail::Parser::Kind::response, text);
  AIOS_ASSERT(read.end == End::clean && read.messages.size() == 1);
  AIOS_ASSERT(read.messages[0].status == response.status);
  AIOS_ASSERT(read.messages[0].body == (has_body ? response.body : ""));
  AIOS_ASSERT(read.messages[0].keep_alive != close);
  AIOS_ASSERT(read.messages[0].headers.count("content-length") <= 1);
  AIOS_ASSERT(!read.messages[0].headers.has("transfer-encoding"));
  check_fields(read.messages[0].headers);
}

}  // namespace aios::fuzz

// SPDX-License-Identifier: Apache-2.0
// A stream of HTTP requests: cut at whatever place, it is the same messages, and nothing in them
// can end a line or make a second frame.
#include "tests/fuzz/http_stream.h"

namespace aios::fuzz {

void http_request(std::string_view input) {
  using net::detail::Parser;
  const auto whole = read_stream(Parser::Kind::request, input, {.limits = narrow});
  check_cuts(Parser::Kind::request, input, whole);
  for (const Message& message : whole.messages) {
    check_fields(message.headers);
    AIOS_ASSERT(!message.method.empty() && !message.target.empty());
    AIOS_ASSERT(message.headers.count("content-length") <= 1);
    AIOS_ASSERT(!message.headers.has("content-length") ||
                !message.headers.has("transfer-encoding"));
    // said again with a plain length it is the same request
    std::string text = message.method + " " + message.target + " HTTP/1.1\r\n";
    if (!message.headers.has("host")) {
      text += "host: a\r\n";
    }
    for (const auto& [name, value] : message.headers) {
      if (name == "host" || !net::detail::is_framing_field(name)) {
        AIOS_ASSERT(net::detail::append_field(name, value, &text));
      }
    }
    text += "content-length: " + std::to_string(message.body.size()) + "\r\n\r\n" + message.body;
    const auto again = read_stream(Parser::Kind::request, text);
    AIOS_ASSERT(again.messages.size() == 1 && again.end == End::clean);
    AIOS_ASSERT(again.messages[0].method == message.method);
    AIOS_ASSERT(again.messages[0].target == message.target);
    AIOS_ASSERT(again.messages[0].body == message.body);
  }
}

}  // namespace aios::fuzz

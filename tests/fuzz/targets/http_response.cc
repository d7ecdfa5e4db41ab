// SPDX-License-Identifier: Apache-2.0
// A stream of HTTP responses, as that of requests.
#include "tests/fuzz/http_stream.h"

namespace aios::fuzz {

void http_response(std::string_view input) {
  using net::detail::Parser;
  const auto whole = read_stream(Parser::Kind::response, input, {.limits = narrow});
  check_cuts(Parser::Kind::response, input, whole);
  for (const Message& message : whole.messages) {
    check_fields(message.headers);
    AIOS_ASSERT(message.status >= 100 && message.status <= 999);
  }
}

}  // namespace aios::fuzz

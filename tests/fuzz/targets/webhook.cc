// SPDX-License-Identifier: Apache-2.0
// A webhook's body and headers as the expressions of its mapping see them.
#include "core/text.h"
#include "ingress/detail/webhook_body.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/message.h"
#include "tests/fuzz/same.h"

namespace aios::fuzz {

void webhook(std::string_view input) {
  const auto request = request_of(input);
  const Json body = ingress::webhook_body(request);
  const std::string text = to_text(body);
  AIOS_ASSERT(is_utf8(text));
  const auto again = parse_json(text);
  AIOS_ASSERT(again.ok() && same(*again, body));
  ingress::slack_challenge(body);
  const Json seen = ingress::webhook_headers(request);
  AIOS_ASSERT(!seen.get_object().contains("authorization"));
  AIOS_ASSERT(!seen.get_object().contains("cookie"));
}

}  // namespace aios::fuzz

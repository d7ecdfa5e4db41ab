// SPDX-License-Identifier: Apache-2.0
// What a hosted model answers: fields, a blank line, the body; the first byte is its status. Done
// it is only with a label that was asked for.
#include "gateway/detail/chat.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/message.h"

namespace aios::fuzz {

void chat(std::string_view input) {
  constexpr int statuses[] = {200, 400, 401, 403, 404, 408, 429, 500, 503};
  net::Response response;
  response.status = statuses[choose(input, std::size(statuses))];
  auto message = request_of(input);
  response.headers = std::move(message.headers);
  response.body = std::move(message.body);
  gateway::detail::ChatModel model;
  model.name = "second";
  model.model = "m-1";
  model.labels = {"delivery", "refund"};
  const auto reply = gateway::detail::read_chat(model, response);
  AIOS_ASSERT((reply.outcome == Outcome::done) == !reply.error.has_value());
  if (reply.error) {
    AIOS_ASSERT(reply.error->page() != 0);
    return;
  }
  const auto label = text_or(reply.output, "label", "");
  AIOS_ASSERT(response.status == 200 && (label == "delivery" || label == "refund"));
  const double confidence = number_or(reply.output, "confidence", -1);
  AIOS_ASSERT(confidence >= 0 && confidence <= 1);
  AIOS_ASSERT(parse_json(to_text(reply.output)).ok());
}

}  // namespace aios::fuzz

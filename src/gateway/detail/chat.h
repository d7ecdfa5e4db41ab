// SPDX-License-Identifier: Apache-2.0
#pragma once
// gateway/detail/chat: classification as a chat completion: the request's body, and what an answer
// means. Source: OpenAI API "create chat completion", structured outputs by JSON Schema.
// Pure functions: no network, no clock.

#include "core/effect.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/price.h"
#include "net/http.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::gateway::detail {

/// What is asked of whom.
struct ChatModel {
  std::string name;                 ///< ours, for messages and versions
  std::string model;                ///< the vendor's
  std::vector<std::string> labels;  ///< the only answers
  std::string instructions;         ///< before the list of labels; may be empty
  std::uint32_t output_tokens_max = 100;
  std::optional<double> temperature;  ///< left out where not given: some models take none
};

/// Body of POST /chat/completions. The text is data: it stands alone in the user's message.
Json chat_request(const ChatModel& model, std::string_view text);

/// No call with this body uses more: a token is at least one byte of the text, and what a server
/// puts around messages is far below the body's own punctuation and chat_frame_tokens.
inline constexpr std::uint64_t chat_frame_tokens = 256;
Usage chat_bound(const ChatModel& model, std::string_view body);

struct ChatReply {
  /// done: `output` is set. failed: it cost nothing, or `usage` says what. unknown: it may have
  /// cost as much as its bound.
  Outcome outcome = Outcome::unknown;
  Json output;                 ///< {label, confidence, version, reasons, scores}
  std::string version;         ///< the model that answered, as the vendor names it
  std::optional<Usage> usage;  ///< where the answer tells it, also of one that is of no use
  std::optional<Error> error;  ///< set unless done
};

/// Errors: rate_limited with Retry-After, resource_exhausted (the account is used up),
/// unauthenticated, permission_denied, not_found, invalid_argument, unavailable [AIOS-0805];
/// data_loss, same_call, for an answer that is not what was asked for [AIOS-0806];
/// failed_precondition for a refusal [AIOS-0807]; resource_exhausted for one cut at the bound of
/// its output [AIOS-0808].
ChatReply read_chat(const ChatModel& model, const net::Response& response);

}  // namespace aios::gateway::detail

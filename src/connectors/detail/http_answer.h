// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/http_answer: what an HTTP answer, or the lack of one, means for an effect.
// The question is always: did it certainly happen, certainly not, or is it not known?

#include "connectors/connectors.h"
#include "core/effect.h"
#include "core/result.h"
#include "net/client.h"
#include "net/http.h"

#include <optional>
#include <vector>

namespace aios::connectors::detail {

/// One line of a manifest's `errors`.
struct StatusRule {
  std::vector<int> statuses;
  std::optional<Code> code;
  std::optional<Retry> retry;
  std::optional<Outcome> outcome;  ///< failed or unknown
};

/// The line that a status has; null: none.
const StatusRule* rule_for(int status, const std::vector<StatusRule>& rules);

struct Verdict {
  Outcome outcome = Outcome::unknown;
  std::optional<Error> error;  ///< none when done
  bool spared = false;         ///< as Performed::spared
};

/// A status without a rule, or a rule that leaves something out:
///   2xx       done
///   3xx, 408, 5xx to writes             unknown: the peer may have acted before it answered so
///   429       failed, rate_limited, same_call, after Retry-After
///   5xx to reads                        failed, unavailable, same_call
///   all else  failed, never
Verdict judge_answer(const net::Response& response, EffectClass effect,
                     const std::vector<StatusRule>& rules);

/// A 401 to a request with a secret: nothing was done, and until somebody puts the right one in its
/// place nothing will be.
Verdict secret_not_taken(const std::string& secret);

/// A call without an answer. Nothing sent: failed. Else reads failed and may be repeated, the
/// rest is unknown.
Verdict judge_failure(Error error, EffectClass effect);

/// {status, headers, body}; body is JSON where the Content-Type says so, null when empty, a text
/// otherwise. @return data_loss [AIOS-0905] when the body is not what the Content-Type says.
Result<Json> answer_to_json(const net::Response& response);

/// "application/json", "application/problem+json; charset=utf-8".
bool is_json_type(std::string_view content_type);

/// {method, url, body}: what the peer gets, but for the headers. body: the exact text.
std::string request_image(const net::ClientRequest& request);
/// {status, body}; body is the exact text, or {base64} where it is no UTF-8.
std::string answer_image(const net::Response& response);

}  // namespace aios::connectors::detail

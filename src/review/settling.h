// SPDX-License-Identifier: Apache-2.0
#pragma once
// review/settling: a person's word on an incident, a call of which nobody knows whether it
// happened. It goes through the guard as an answer does: policy may refuse it, or want another
// person's word besides (obligation {"type": "approve", "assignees": [roles]}). The run and its
// incident are the engine's; here is who may say it, and on which ground.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "govern/guard.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::review {

class Reviews;

/// What is said of an incident, and what it is about.
struct Settling {
  std::string incident;
  std::string_view phase = "settle";  ///< settle; approve or send_back: of what `by` proposed
  std::string word;                   ///< retry, happened or fail
  Json result;                        ///< with happened: what the call is said to have given
  std::string by;                     ///< who proposed it
  std::string step, function;         ///< of the call
  Json call;                          ///< its arguments; null where they were not kept
};

struct SettleRuling {
  govern::Decision decision;           ///< for the leaf
  std::vector<std::string> approvers;  ///< one with such a role has to approve it; none: it counts
  std::optional<Error> refused;        ///< policy_denied [AIOS-0501, 0629]
};

/// Guard point incident_settle. @param run  what the engine remembers of the run
SettleRuling ask_to_settle(const govern::Guard& guard, const Context& ctx, const Settling& said,
                           JsonObject run);

/// Of a word that waits for approval, or of none where one was wanted (`by` is empty).
/// @return failed_precondition [AIOS-0630]
Error not_at_that(std::string_view incident, std::string_view by, std::string_view word);

/// What another proposed, on its way to be approved.
struct Proposed {
  std::string by;
  std::string starter;  ///< of the run
  std::vector<std::string> approvers;
};
/// @param reviews  knows who is one person; null: each key is.
/// @return permission_denied [AIOS-0631]: none of the roles, or the same person as who proposed it
///         or who started the run, under whichever key.
Result<void> check_second_person(const Context& ctx, const Proposed& proposed,
                                 const Reviews* reviews);

}  // namespace aios::review

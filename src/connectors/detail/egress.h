// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/egress: the guard's facts about a call, and the obligations it may impose.

#include "connectors/connectors.h"
#include "core/json.h"
#include "core/result.h"
#include "govern/guard.h"

#include <string>
#include <vector>

namespace aios::connectors::detail {

/// Kinds of personal data in any text of the value, sorted, each once.
std::vector<std::string> personal_kinds(const Json& value);

/// Facts at connector_egress; see docs/guide/policy-inputs.md.
JsonObject egress_facts(const OperationInfo& info, const OperationCall& call);

/// The arguments after the decision's obligations: `redact` (all texts), `project` (`fields`).
/// @return policy_denied [AIOS-0907] for an obligation that connectors cannot carry out.
Result<Json> carry_out(const govern::Decision& decision, const Json& arguments);

}  // namespace aios::connectors::detail

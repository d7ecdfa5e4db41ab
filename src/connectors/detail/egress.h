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

/// Kinds of personal data in the credentials that a document gives as values (`authentication`):
/// they are shown to nobody, yet count in `content.personal`.
/// @return invalid_argument [AIOS-0516] for credentials too large to be looked through.
Result<std::vector<std::string>> personal_credentials(const OperationCall& call);

/// Facts at connector_egress; see docs/guide/policy-inputs.md.
/// @return invalid_argument [AIOS-0516] for arguments too large to be looked through.
Result<JsonObject> egress_facts(const OperationInfo& info, const OperationCall& call);

/// The arguments after the decision's obligations: `project` (`fields`), then `redact` (texts,
/// names of members and numbers).
/// @return policy_denied [AIOS-0907] for an obligation that connectors cannot carry out,
///         [AIOS-0517] when personal data is found still.
Result<Json> carry_out(const govern::Decision& decision, const Json& arguments);

/// True: the obligations have `redact`, so what is made of the arguments must hold no personal data
/// either (detail/outgoing).
bool demands_masking(const govern::Decision& decision);

}  // namespace aios::connectors::detail

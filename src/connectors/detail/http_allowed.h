// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/http_allowed: what a policy's obligations left of a `call: http`, and whether
// it is still the call that the document means.

#include "connectors/connector.h"
#include "core/result.h"

#include <string>

namespace aios::connectors::detail {

/// Path and query of the arguments as policy let them through.
/// @return policy_denied [AIOS-0907] where it would mask or leave out something of the path, which
///         leads elsewhere then, or the document's own Idempotency-Key, which would be everybody's.
Result<std::string> allowed_target(const OperationCall& call);

/// Whether what authenticates the call may leave where policy obliges to mask: it is shown to
/// nobody, so it cannot be masked.
/// @return policy_denied [AIOS-0517] for personal data in it.
Result<void> check_credentials(const OperationCall& call);

}  // namespace aios::connectors::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/secrets: where secrets of other systems come from: the environment (AIOS_SECRET_<NAME>, upper
// case, '-' as '_'), else the regular file <data>/secrets/<name>, of 64 KiB at most; of another
// tenant than the first <data>/secrets/<tenant>/<name> alone. Read at each use, so that a changed
// file counts at once. An empty one is as good as none.

#include "connectors/connectors.h"
#include "observe/log.h"

#include <string>
#include <vector>

namespace aios::app {

/// not_found [AIOS-1402] for a secret that is in neither place, saying why; invalid_argument
/// [AIOS-1402] for what is no name. Never waits for a writer.
connectors::SecretSource secret_source(const std::string& data_directory);

/// One warning for each secret that is missing.
void warn_missing_secrets(const std::vector<Error>& missing, const TenantId& tenant,
                          const observe::Log& log);

}  // namespace aios::app

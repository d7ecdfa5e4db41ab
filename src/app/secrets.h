// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/secrets: where connectors' secrets come from: the environment (AIOS_SECRET_<NAME>, upper
// case, '-' as '_'), else the file <data>/secrets/<name>. Read at each use, so that a changed file
// counts at once.

#include "connectors/connectors.h"
#include "observe/log.h"

#include <string>
#include <vector>

namespace aios::app {

connectors::SecretSource secret_source(const std::string& data_directory);

/// One warning for each secret that a connector of these tenants names and that is not there now.
void warn_missing_secrets(const connectors::Connectors& connectors,
                          const std::vector<TenantId>& tenants, const observe::Log& log);

}  // namespace aios::app

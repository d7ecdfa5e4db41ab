// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/secrets: where connectors' secrets come from: the environment (AIOS_SECRET_<NAME>, upper
// case, '-' as '_'), else the file <data>/secrets/<name>. Read at each use, so that a changed file
// counts at once.

#include "connectors/connectors.h"

#include <string>

namespace aios::app {

connectors::SecretSource secret_source(const std::string& data_directory);

}  // namespace aios::app

// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/develop: verbs for those who write a bundle, beside those of commands.h.

#include "app/commands.h"

namespace aios::app {

void add_dev_command(CLI::App& app, Session& session);
void add_connector_commands(CLI::App& app, Session& session);
void add_reference_command(CLI::App& app, Session& session);

}  // namespace aios::app

// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/develop: verbs for those who write a bundle, beside those of commands.h.

#include "app/commands.h"

namespace aios::app {

void add_dev_command(Command& app, Session& session);
void add_connector_commands(Command& app, Session& session);
void add_reference_command(Command& app, Session& session);

}  // namespace aios::app

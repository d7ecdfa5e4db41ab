// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/setting_flags: the server's settings as options of a command, and the file beside them.

#include "app/commands.h"
#include "app/settings.h"

#include <map>
#include <string>

namespace aios::app {

struct SettingFlags {
  std::string file;  ///< --config
  std::map<std::string, std::string> values;
};

/// An option for each setting, and --config. `flags` must outlive the parsing.
void add_settings(Command& command, SettingFlags* flags);

/// The settings as they are after all: of the flags, this process's environment, and the file: that
/// of --config or AIOS_CONFIG, else server.yaml in the data directory where there is one.
/// @return what Settings::settle() says; not_found when a file that was named is not there.
Result<Settings> settle(const Session& session, const SettingFlags& flags);

}  // namespace aios::app

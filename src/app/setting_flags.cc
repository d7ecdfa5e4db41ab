// SPDX-License-Identifier: Apache-2.0
#include "app/setting_flags.h"

#include "app/address.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace aios::app {
namespace {

std::string described(const Setting& row) {
  std::string out = row.help + " (";
  if (!row.fallback.empty()) {
    out += fmt::format("default {}; or ", row.fallback);
  }
  return out + row.environment() + ")";
}

/// The file that was named, or the one that lies in the data directory.
std::string file_of(const Session& session, const SettingFlags& flags) {
  if (!flags.file.empty()) {
    return flags.file;
  }
  std::error_code failed;
  std::string beside = session.target.data + "/server.yaml";
  return std::filesystem::exists(beside, failed) ? beside : "";
}

/// An option of every command: what is not the environment's word was said by the flag.
void take_global(const std::string& name, bool is_given, const std::string& value, Given* given) {
  const char* variable = std::getenv(Setting{name, "", "", nullptr}.environment().c_str());
  if (is_given && !value.empty() && (variable == nullptr || value != variable)) {
    given->flags[name] = value;
  }
}

}  // namespace

void add_settings(Command& command, SettingFlags* flags) {
  for (const Setting& row : server_settings()) {
    if (row.name == "data" || row.name == "tls_ca") {
      continue;  // of every command
    }
    Option* option = command.add_option_function(
        row.flag(),
        [flags, name = row.name](const std::string& value) { flags->values[name] = value; },
        described(row));
    if (row.refuse) {  // a wrong flag is wrong use, and ends with 2
      option->check([refuse = row.refuse](const std::string& value) {
        const auto wanted = refuse(value);
        return wanted ? fmt::format("'{}' found, wanted {}", value, *wanted) : std::string();
      });
    }
  }
  command
      .add_option("--config", flags->file,
                  "The server's settings as YAML; without it server.yaml in the data directory, "
                  "where there is one")
      ->envname("AIOS_CONFIG");
}

Result<Settings> settle(const Session& session, const SettingFlags& flags) {
  Given given;
  given.flags = flags.values;
  given.environment = [](const char* name) { return std::getenv(name); };
  take_global("data", session.data_given, session.target.data, &given);
  take_global("tls_ca", true, session.target.tls_ca, &given);
  given.file = file_of(session, flags);
  if (!given.file.empty()) {
    auto text = read_file(given.file);
    if (!text.ok()) {
      return std::move(text).error();
    }
    given.text = std::move(*text);
  }
  auto settings = Settings::settle(server_settings(), given);
  if (settings.ok()) {
    const auto address = listen_address(settings->text("listen"));
    if (!address.ok()) {
      return Error(address.error()).with("reading " + settings->at("listen").origin);
    }
  }
  return settings;
}

}  // namespace aios::app

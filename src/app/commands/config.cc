// SPDX-License-Identifier: Apache-2.0
// config: the settings that `serve` would take with the same arguments, environment and file.
#include "app/commands.h"
#include "app/help.h"
#include "app/setting_flags.h"
#include "app/terminal.h"

#include <fmt/format.h>

#include <memory>

namespace aios::app {
namespace {

Json to_json(const Settings& settings) {
  JsonArray rows;
  for (const auto& [setting, settled] : settings.all()) {
    rows.push_back(JsonObject{{"name", setting.name},
                              {"value", settled.value},
                              {"origin", settled.origin},
                              {"default", setting.fallback},
                              {"flag", setting.flag()},
                              {"environment", setting.environment()},
                              {"help", setting.help}});
  }
  return JsonObject{{"settings", std::move(rows)}};
}

void print_values(const Settings& settings) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [setting, settled] : settings.all()) {
    rows.push_back({setting.name, settled.value.empty() ? "-" : settled.value, settled.origin});
  }
  print_table({"SETTING", "VALUE", "FROM"}, std::move(rows));
}

void explain_values(const Settings& settings) {
  const std::size_t known = terminal_columns();
  const std::size_t columns = known == 0 ? 80 : known;
  for (const auto& [setting, settled] : settings.all()) {
    fmt::print("{}: {}  (from {})\n", setting.name,
               settled.value.empty() ? "-" : shown_text(settled.value), settled.origin);
    const std::string text =
        fmt::format("    {}. Default {}. Set by {}, {} or '{}' in server.yaml.", setting.help,
                    setting.fallback.empty() ? "nothing" : setting.fallback, setting.flag(),
                    setting.environment(), setting.name);
    fmt::print("{}\n", wrapped(text, columns, 4));
  }
}

}  // namespace

void add_config_command(Command& app, Session& session) {
  auto* command =
      app.add_subcommand("config", "Show the settings that serve would take, and where from");
  auto flags = std::make_shared<SettingFlags>();
  auto explain = std::make_shared<bool>(false);
  add_settings(*command, flags.get());
  command->add_flag("--explain", *explain, "Say also how each is set and what it is");
  command->callback([&session, flags, explain] {
    session.action = [&session, flags, explain]() -> Result<void> {
      const auto settings = settle(session, *flags);
      if (!settings.ok()) {
        return settings.error();
      }
      if (session.json) {
        fmt::print("{}\n", to_text(to_json(*settings)));
      } else {
        *explain ? explain_values(*settings) : print_values(*settings);
      }
      return {};
    };
  });
}

}  // namespace aios::app

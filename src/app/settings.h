// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/settings: what a server is told at its start, one row a setting. The same name in three
// places: `--log-level`, AIOS_LOG_LEVEL, and `log_level` in server.yaml; a dot in a name is a level
// of the file (`retention.runs`: `--retention-runs`, AIOS_RETENTION_RUNS). A flag wins over the
// environment, that over the file, that over the default, and each value knows where it came from.

#include "core/result.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::app {

struct Setting {
  std::string name;  ///< in server.yaml
  std::string help;
  std::string fallback;  ///< the default; empty: nothing is set
  /// What is wanted, in words, when the value does not fit; null: any text fits.
  std::function<std::optional<std::string>(const std::string& value)> refuse;
  std::string flag() const;         ///< "--log-level"
  std::string environment() const;  ///< "AIOS_LOG_LEVEL"
};

/// Every setting of the server, in the order of the documentation.
std::vector<Setting> server_settings();

/// Where values are given; what has an empty value there counts as not given.
struct Given {
  std::map<std::string, std::string> flags;  ///< by Setting::name
  std::function<const char*(const char* name)> environment;
  std::string file;  ///< server.yaml's path; empty: there is none
  std::string text;  ///< and what it holds
};

struct Settled {
  std::string value;
  std::string origin;  ///< "--log-level", "AIOS_LOG_LEVEL", "server.yaml:3" or "default"
};

class Settings {
 public:
  /// @return invalid_argument [AIOS-1460], all that is wrong in one: names that are none in the
  ///         file, with line and column and the nearest right one; [AIOS-1461] values that do not
  ///         fit, with where they were given and what is wanted; the error of a file that is no
  ///         YAML.
  static Result<Settings> settle(const std::vector<Setting>& rows, const Given& given);
  /// The name must be one of the rows.
  const Settled& at(std::string_view name) const;
  const std::string& text(std::string_view name) const { return at(name).value; }
  /// Of a setting whose row allows numbers alone; 0 where nothing is set.
  std::uint64_t number(std::string_view name) const;
  /// By name, in the order of the rows.
  const std::vector<std::pair<Setting, Settled>>& all() const { return all_; }

 private:
  std::vector<std::pair<Setting, Settled>> all_;
};

}  // namespace aios::app

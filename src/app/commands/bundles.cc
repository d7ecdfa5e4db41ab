// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/terminal.h"

#include "bundle/bundle.h"
#include "core/text.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

struct BundleOptions {
  std::string directory;
  std::vector<std::string> settings;  ///< name=value
  std::vector<std::string> resets;
};

Result<JsonObject> overrides_of(const BundleOptions& options) {
  JsonObject out;
  for (const std::string& setting : options.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error(Code::invalid_argument, fmt::format("--set '{}' is not NAME=VALUE", setting))
          .page(1409);
    }
    out[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  for (const std::string& name : options.resets) {
    out[name] = nullptr;
  }
  return out;
}

Json error_json(const Error& error) {
  return JsonObject{{"file", error.file()},
                    {"line", error.line()},
                    {"column", error.column()},
                    {"message", error.message()},
                    {"page", error.page()}};
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// As JSON; for people also a line each.
JsonArray list_errors(const Session& session, const std::vector<Error>& errors,
                      std::string_view prefix) {
  JsonArray out;
  for (const Error& error : errors) {
    out.push_back(error_json(error));
    if (!session.json) {
      tell("{}{}\n", prefix, shown_text(error.text()));
    }
  }
  return out;
}

/// Needs no server: everything a bundle can get wrong shows here.
Result<void> check(const Session& session, const BundleOptions& options) {
  auto overrides = overrides_of(options);
  if (!overrides.ok()) {
    return std::move(overrides).error();
  }
  auto files = bundle::read_bundle_directory(options.directory);
  if (!files.ok()) {
    return std::move(files).error();
  }
  workflow::FunctionRegistry functions;
  workflow::register_all_functions(functions);
  const std::size_t count = files->size();
  auto checked = bundle::check_bundle(std::move(*files), *overrides, functions);
  if (checked.bundle) {
    auto tests = govern::Guard::test(checked.bundle->policies, checked.bundle->parameters);
    if (!tests.ok()) {
      checked.errors.push_back(std::move(tests).error());
    }
  }
  JsonArray warnings = list_errors(session, checked.warnings, "warning: ");
  if (checked.errors.empty()) {
    const Json answer = JsonObject{{"ok", true},
                                   {"files", count},
                                   {"digest", checked.bundle->digest},
                                   {"warnings", std::move(warnings)}};
    print(session, answer, [&](const Json&) {
      fmt::print(
          "{} {}: {} files, {}\n", checked.bundle->name, checked.bundle->version, count,
          checked.warnings.empty() ? "no problems" : counted(checked.warnings.size(), "warning"));
    });
    return {};
  }
  JsonArray errors = list_errors(session, checked.errors, "");
  if (session.json) {
    fmt::print("{}\n", to_text(JsonObject{{"ok", false},
                                          {"errors", std::move(errors)},
                                          {"warnings", std::move(warnings)}}));
  }
  return Error(Code::invalid_argument,
               fmt::format("{} in '{}'", counted(checked.errors.size(), "problem"),
                           options.directory))
      .page(1410);
}

Result<void> deploy(const Session& session, const BundleOptions& options) {
  auto overrides = overrides_of(options);
  if (!overrides.ok()) {
    return std::move(overrides).error();
  }
  auto files = bundle::read_bundle_directory(options.directory);
  if (!files.ok()) {
    return std::move(files).error();
  }
  JsonObject contents;
  for (const auto& [path, bytes] : *files) {
    contents[path] = to_base64(bytes);
  }
  auto deployed = session.call(
      {"POST", "/api/v1/deployments",
       JsonObject{{"files", std::move(contents)}, {"parameters", std::move(*overrides)}}});
  if (!deployed.ok()) {
    return std::move(deployed).error();
  }
  print(session, *deployed, [](const Json& it) {
    fmt::print("{} {} {} as deployment {}, digest {}\n", text_or(it, "name", ""),
               text_or(it, "version", ""),
               bool_or(it, "changed", true) ? "deployed" : "runs already", int_or(it, "number", 0),
               text_or(it, "digest", "").substr(0, 12));
    const Json* changes = find(it, "parameter_changes");
    if (changes != nullptr && changes->is_array()) {
      for (const Json& change : changes->get_array()) {
        fmt::print("parameter {}: {} -> {}\n", text_or(change, "name", ""),
                   to_text(change.at("from")), to_text(change.at("to")));
      }
    }
    const Json* warnings = find(it, "warnings");
    if (warnings != nullptr && warnings->is_array()) {
      for (const Json& warning : warnings->get_array()) {
        tell("warning: {}\n", view(warning.as_string()));
      }
    }
  });
  return {};
}

}  // namespace

void add_bundle_commands(CLI::App& app, Session& session) {
  auto options = std::make_shared<BundleOptions>();
  const auto common = [options](CLI::App* command) {
    command->add_option("directory", options->directory, "App bundle (has an aios.yaml)")
        ->required();
    command->add_option("--set", options->settings, "NAME=VALUE of a parameter; repeatable");
    return command;
  };
  auto* verify = common(app.add_subcommand("check", "Report every problem of a bundle at once"));
  verify->callback([&session, options] {
    session.action = [&session, options] { return check(session, *options); };
  });
  auto* put = common(app.add_subcommand("deploy", "Make a bundle what the tenant runs"));
  put->footer("A parameter that is not named keeps the value that an earlier deployment set.");
  put->add_option("--reset", options->resets,
                  "NAME of a parameter that goes back to the bundle's default; repeatable");
  put->callback([&session, options] {
    session.action = [&session, options] { return deploy(session, *options); };
  });
}

}  // namespace aios::app

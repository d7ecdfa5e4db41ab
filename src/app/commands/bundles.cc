// SPDX-License-Identifier: Apache-2.0
#include "app/bundle_round.h"
#include "app/commands.h"
#include "app/plan_text.h"
#include "app/terminal.h"

#include "bundle/bundle.h"
#include "core/text.h"
#include "scenario/scenario.h"

#include <fmt/format.h>

#include <iterator>

namespace aios::app {
namespace {

constexpr int exit_changes = 3;

struct BundleOptions {
  std::string directory = ".";
  std::vector<std::string> settings;  ///< name=value
  std::vector<std::string> resets;
};

Result<JsonObject> overrides_of(const BundleOptions& options) {
  auto out = settings_in(options.settings);
  for (const std::string& name : options.resets) {
    if (out.ok()) {
      (*out)[name] = nullptr;
    }
  }
  return out;
}

struct ReadBundle {
  JsonObject overrides;
  bundle::Files files;
  std::vector<Error> strays;  ///< left out, but nearly named like a part
};

Result<ReadBundle> read_bundle(const BundleOptions& options) {
  auto overrides = overrides_of(options);
  if (!overrides.ok()) {
    return std::move(overrides).error();
  }
  auto files = bundle::read_bundle_directory(options.directory);
  if (!files.ok()) {
    return std::move(files).error();
  }
  return ReadBundle{*std::move(overrides), *std::move(files),
                    bundle::stray_names(options.directory)};
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

/// What is wrong with the scenarios, which are no part of what is deployed.
void check_scenarios(const std::string& directory, std::vector<Error>* errors) {
  auto files = scenario::read_scenario_files(directory);
  if (!files.ok()) {
    errors->push_back(std::move(files).error());
    return;
  }
  auto read = scenario::read_scenarios(*files);
  std::move(read.errors.begin(), read.errors.end(), std::back_inserter(*errors));
}

/// All that keeps a bundle from being taken, and the error that ends the command.
Error tell_problems(const Session& session, const BundleOptions& options,
                    const std::vector<Error>& problems, JsonArray warnings) {
  JsonArray errors = list_errors(session, problems, "");
  if (session.json) {
    fmt::print("{}\n", to_text(JsonObject{{"ok", false},
                                          {"errors", std::move(errors)},
                                          {"warnings", std::move(warnings)}}));
  }
  return Error(Code::invalid_argument,
               fmt::format("{} in '{}'", counted(problems.size(), "problem"), options.directory))
      .page(1410);
}

/// Needs no server: everything a bundle can get wrong shows here.
Result<void> check(const Session& session, const BundleOptions& options) {
  auto overrides = overrides_of(options);
  if (!overrides.ok()) {
    return std::move(overrides).error();
  }
  auto looked = check_folder(options.directory, *overrides);
  if (!looked.ok()) {
    return std::move(looked).error();
  }
  check_scenarios(options.directory, &looked->checked.errors);
  const std::size_t count = looked->files.size();
  const bundle::Checked& checked = looked->checked;
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
  return tell_problems(session, options, checked.errors, std::move(warnings));
}

struct TestOptions {
  std::string only;   ///< part of a scenario's name; empty: all
  bool show = false;  ///< print what happened, also where all holds
};

/// The scenarios of a bundle, those that were asked for; every one that cannot be read is an error.
Result<std::vector<scenario::Scenario>> chosen_scenarios(const Session& session,
                                                         const BundleOptions& options,
                                                         const TestOptions& test) {
  auto files = scenario::read_scenario_files(options.directory);
  if (!files.ok()) {
    return std::move(files).error();
  }
  auto read = scenario::read_scenarios(*files);
  if (!read.errors.empty()) {
    list_errors(session, read.errors, "");
    return Error(Code::invalid_argument,
                 fmt::format("{} in the scenarios of '{}'", counted(read.errors.size(), "problem"),
                             options.directory))
        .page(1410);
  }
  const auto other = [&](const scenario::Scenario& one) {
    return one.name.find(test.only) == std::string::npos;
  };
  std::erase_if(read.scenarios, other);
  if (read.scenarios.empty()) {
    return Error(Code::not_found,
                 test.only.empty()
                     ? fmt::format("'{}' has no scenario: none in tests/*.yaml", options.directory)
                     : fmt::format("no scenario of '{}' has '{}' in its name", options.directory,
                                   test.only))
        .page(1421);
  }
  return std::move(read.scenarios);
}

Json tell_verdict(const Session& session, const scenario::Scenario& scenario,
                  const scenario::Verdict& verdict, bool show) {
  const bool holds = verdict.failures.empty();
  if (!session.json) {
    fmt::print("{} {}\n", holds ? "ok    " : "FAILED", shown_text(scenario.name));
    if (show) {
      fmt::print("{}\n", to_pretty_text(verdict.found));
    }
  }
  JsonArray failures;
  for (const Error& failure : verdict.failures) {
    failures.push_back(error_json(failure));
    if (!session.json) {
      fmt::print("       {}\n", shown_text(failure.text()));
    }
  }
  return JsonObject{{"file", scenario.file},
                    {"name", scenario.name},
                    {"ok", holds},
                    {"failures", std::move(failures)},
                    {"found", verdict.found}};
}

/// Needs no server and nothing outside.
Result<void> test(const Session& session, const BundleOptions& options, const TestOptions& chosen) {
  auto given = read_bundle(options);
  if (!given.ok()) {
    return std::move(given).error();
  }
  auto scenarios = chosen_scenarios(session, options, chosen);
  if (!scenarios.ok()) {
    return std::move(scenarios).error();
  }
  JsonArray verdicts;
  std::size_t failed = 0;
  bundle::Learnt learnt;
  for (const scenario::Scenario& one : *scenarios) {
    auto verdict = scenario::run_scenario(one, given->files, given->overrides, &learnt);
    if (!verdict.ok()) {
      return std::move(verdict).error().with(fmt::format("scenario '{}'", one.name));
    }
    failed += verdict->failures.empty() ? 0 : 1;
    verdicts.push_back(tell_verdict(session, one, *verdict, chosen.show));
  }
  if (session.json) {
    fmt::print("{}\n",
               to_text(JsonObject{{"ok", failed == 0}, {"scenarios", std::move(verdicts)}}));
  } else {
    fmt::print("{} passed, {} failed\n", scenarios->size() - failed, failed);
  }
  if (failed == 0) {
    return {};
  }
  return Error(Code::failed_precondition,
               fmt::format("{} of '{}' failed", counted(failed, "scenario"), options.directory))
      .page(1422);
}

struct DeployOptions {
  bool plan = false;       ///< --plan: say what would change and change nothing
  bool exit_code = false;  ///< --exit-code: exit with 3 when something would
};

Json request_of(ReadBundle given) {
  JsonObject contents;
  for (const auto& [path, bytes] : given.files) {
    contents[path] = to_base64(bytes);
  }
  return JsonObject{{"files", std::move(contents)}, {"parameters", std::move(given.overrides)}};
}

Result<void> deploy(Session& session, const BundleOptions& options, const DeployOptions& how) {
  auto given = read_bundle(options);
  if (!given.ok()) {
    return std::move(given).error();
  }
  list_errors(session, given->strays, "warning: ");
  std::vector<Error> problems;
  Call call{"POST", how.plan ? "/api/v1/deployments/plan" : "/api/v1/deployments",
            request_of(*std::move(given))};
  call.problems = &problems;
  auto answer = session.call(std::move(call));
  if (!answer.ok() && !problems.empty()) {
    return tell_problems(session, options, problems, JsonArray());
  }
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  if (!how.plan) {
    print(session, *answer, print_deployment);
    return {};
  }
  print(session, *answer, [](const Json& plan) {
    print_plan(plan);
    tell_warnings(plan);
  });
  session.exit_code = how.exit_code && bool_or(*answer, "changed", true) ? exit_changes : 0;
  return {};
}

}  // namespace

void add_bundle_commands(Command& app, Session& session) {
  auto options = std::make_shared<BundleOptions>();
  const auto common = [options](Command* command) {
    command->add_option("directory", options->directory, "App bundle (has an aios.yaml)")
        ->capture_default_str();
    command->add_option("--set", options->settings, "NAME=VALUE of a parameter; repeatable");
    return command;
  };
  auto* verify = common(app.add_subcommand("check", "Report every problem of a bundle at once"));
  verify->callback([&session, options] {
    session.action = [&session, options] { return check(session, *options); };
  });
  auto chosen = std::make_shared<TestOptions>();
  auto* try_out = common(app.add_subcommand(
      "test", "Run the scenarios of a bundle (tests/*.yaml), with nothing outside"));
  try_out->add_option("--only", chosen->only, "Part of the names of those to run");
  try_out->add_flag("--show", chosen->show, "Print what happened in each");
  try_out->callback([&session, options, chosen] {
    session.action = [&session, options, chosen] { return test(session, *options, *chosen); };
  });
  auto* put = common(app.add_subcommand("deploy", "Make a bundle what the tenant runs"));
  put->footer("A parameter that is not named keeps the value that an earlier deployment set.");
  put->add_option("--reset", options->resets,
                  "NAME of a parameter that goes back to the bundle's default; repeatable");
  auto how = std::make_shared<DeployOptions>();
  auto* plan =
      put->add_flag("--plan", how->plan, "Say what would change, part by part, and change nothing");
  put->add_flag("--exit-code", how->exit_code, "Exit with 3 when something would change")
      ->needs(plan);
  put->callback([&session, options, how] {
    session.action = [&session, options, how] { return deploy(session, *options, *how); };
  });
}

}  // namespace aios::app

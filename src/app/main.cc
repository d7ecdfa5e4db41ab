// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/develop.h"
#include "app/help.h"
#include "app/terminal.h"
#include "app/usage.h"
#include "app/version.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace {

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_interrupted = 130;  // as a shell has it: 128 and SIGINT

void add_global_options(aios::app::Command& app, aios::app::Session& session) {
  app.add_option("--server", session.target.server,
                 "Address of a running server, such as http://localhost:8787")
      ->envname("AIOS_SERVER");
  app.add_option("--key-file", session.target.key_file,
                 "File that holds the API key (or the key itself in AIOS_KEY)")
      ->envname("AIOS_KEY_FILE");
  app.add_option("--tls-ca", session.target.tls_ca,
                 "Certificates (PEM) of authorities to trust besides the system's")
      ->envname("AIOS_TLS_CA");
  app.add_option_function(
         "--data",
         [&session](const std::string& value) {
           session.target.data = value;
           session.data_given = true;
         },
         "Data directory; used directly when no server runs on it")
      ->envname("AIOS_DATA")
      ->default_str(session.target.data);
  app.add_flag("--json", session.json, "Print the API's answer as JSON");
  app.add_flag("--parse-only", session.parse_only, "Read the arguments and do nothing")
      ->hidden();  // it is for the test that our texts name commands as they are
}

void add_commands(aios::app::Command& app, aios::app::Session& session) {
  using namespace aios::app;
  add_serve(app, session);
  add_new_command(app, session);
  add_config_command(app, session);
  add_bundle_commands(app, session);
  add_deployment_commands(app, session);
  add_dev_command(app, session);
  add_connector_commands(app, session);
  add_model_commands(app, session);
  add_run_commands(app, session);
  add_run_file_command(app, session);
  add_task_commands(app, session);
  add_event_commands(app, session);
  add_delivery_commands(app, session);
  add_review_commands(app, session);
  add_audit_commands(app, session);
  add_key_commands(app, session);
  add_tenant_commands(app, session);
  add_doctor_command(app, session);
  add_budget_commands(app, session);
  add_backup_commands(app, session);
  add_errors_command(app, session);
  add_reference_command(app, session);
  auto* version = app.add_subcommand("version", "Print the version");
  version->callback([&session] {
    session.action = [&session] {
      constexpr std::string_view name = "aios ";
      if (session.json) {
        fmt::print("{}\n", aios::to_text(
                               aios::JsonObject{{"version", version_text().substr(name.size())}}));
      } else {
        fmt::print("{}\n", version_text());
      }
      return aios::Result<void>();
    };
  });
}

/// `aios help runs list` is `aios runs list --help`.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  if (!arguments.empty() && arguments.front() == "help") {
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
  return arguments;
}

/// A reader that left (`| head -1`) needs no message; all else that kept data from stdout does.
int output_failed(const std::error_code& problem) {
  if (problem.value() != EPIPE) {
    aios::app::tell("aios: cannot write the output: {}\n", problem.message());
  }
  return exit_failed;
}

/// On a terminal also where more is to be read: programs read the line alone.
int action_failed(const aios::Error& error, int exit_code) {
  aios::app::tell("aios: {}\n", aios::app::shown_text(error.text()));
  if (error.page() != 0 && ::isatty(STDERR_FILENO) != 0) {
    aios::app::tell("Run 'aios errors {:04}' for more.\n", error.page());
  }
  if (error.page() == aios::app::page_interrupted) {
    return exit_interrupted;
  }
  return exit_code == 0 ? exit_failed : exit_code;
}

int act(const aios::app::Session& session) {
  try {
    auto done = session.action ? session.action() : aios::Result<void>();
    if (!done.ok()) {
      return action_failed(done.error(), session.exit_code);
    }
  } catch (const std::system_error& problem) {  // fmt::print throws it when a write fails
    return output_failed(problem.code());
  }
  if (std::fflush(stdout) != 0) {
    return output_failed(std::error_code(errno, std::generic_category()));
  }
  return session.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  aios::app::fill_standard_files();
  ::umask(0077);                  // what aios writes is its owner's alone
  std::signal(SIGPIPE, SIG_IGN);  // a closed stdout or peer is an error value, not a death
  std::signal(SIGXFSZ, SIG_IGN);  // so is a limit on the size of files: as a full disk
  CLI::App app("aios: durable workflows over models, systems and people, governed and audited",
               "aios");
  aios::app::Session session;
  session.target.data = "aios-data";
  app.formatter(std::make_shared<aios::app::HelpText>(aios::app::terminal_columns()));
  app.fallthrough();  // before the subcommands are made: they inherit it
  app.set_version_flag("--version", aios::app::version_text());
  aios::app::Command top(app);
  add_global_options(top, session);
  add_commands(top, session);
  app.require_subcommand(1);
  app.failure_message(aios::app::usage_message);
  try {
    auto arguments = arguments_of(argc, argv);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& problem) {
    if (problem.get_name() == "CallForHelp" && aios::app::has_unknown_verb(app)) {
      aios::app::tell_text(aios::app::usage_message(&app, problem));
      return exit_usage;
    }
    std::ostringstream help;  // written by act(), which sees a write that fails
    std::ostringstream complaint;
    if (app.exit(problem, help, complaint) != 0) {
      aios::app::tell_text(complaint.str());
      return exit_usage;
    }
    session.action = [&help] {
      fmt::print("{}", help.str());
      return aios::Result<void>();
    };
    return act(session);
  }
  return session.parse_only ? 0 : act(session);
}

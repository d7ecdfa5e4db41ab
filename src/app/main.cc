// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/version.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>

namespace {

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

void add_global_options(CLI::App& app, aios::app::Session& session) {
  app.add_option("--server", session.target.server, "Address of a running server")
      ->envname("AIOS_SERVER");
  app.add_option("--key-file", session.target.key_file,
                 "File that holds the API key (or the key itself in AIOS_KEY)")
      ->envname("AIOS_KEY_FILE");
  app.add_option("--data", session.target.data,
                 "Data directory; used directly when no server runs on it")
      ->envname("AIOS_DATA")
      ->capture_default_str();
  app.add_flag("--json", session.json, "Print the API's answer as JSON");
  app.set_version_flag("--version", std::string(aios::app::version_text()));
}

void add_commands(CLI::App& app, aios::app::Session& session) {
  using namespace aios::app;
  add_serve(app, session);
  add_bundle_commands(app, session);
  add_model_commands(app, session);
  add_run_commands(app, session);
  add_run_file_command(app, session);
  add_event_commands(app, session);
  add_review_commands(app, session);
  add_audit_commands(app, session);
  add_key_commands(app, session);
  add_backup_commands(app, session);
  auto* version = app.add_subcommand("version", "Print the version");
  version->callback([&session] {
    session.action = [] {
      fmt::print("{}\n", version_text());
      return aios::Result<void>();
    };
  });
}

}  // namespace

int main(int argc, char** argv) {
  ::umask(0077);                  // what aios writes is its owner's alone
  std::signal(SIGPIPE, SIG_IGN);  // a closed stdout or peer is an error value, not a death
  CLI::App app("aios: durable workflows over models, systems and people, governed and audited",
               "aios");
  aios::app::Session session;
  session.target.data = "aios-data";
  app.fallthrough();  // before the subcommands are made: they inherit it
  add_global_options(app, session);
  add_commands(app, session);
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    const int code = app.exit(problem, std::cout, std::cerr);
    return code == 0 ? 0 : exit_usage;
  }
  auto done = session.action ? session.action() : aios::Result<void>();
  if (!done.ok()) {
    fmt::print(stderr, "aios: {}\n", done.error().text());
    return exit_failed;
  }
  return 0;
}

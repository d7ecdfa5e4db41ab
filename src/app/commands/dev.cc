// SPDX-License-Identifier: Apache-2.0
// dev: a bundle is looked through at each save, and deployed to a server of this process if wanted;
// or one step of a workflow is run by itself.
#include "app/bundle_round.h"
#include "app/dev_server.h"
#include "app/dev_step.h"
#include "app/develop.h"
#include "app/folder_watch.h"
#include "app/plan_text.h"
#include "app/terminal.h"

#include "core/text.h"
#include "runtime/executor.h"
#include "scenario/scenario.h"

#include <fmt/format.h>

#include <csignal>
#include <ctime>
#include <iterator>
#include <optional>

namespace aios::app {
namespace {

constexpr long look_pause_ns = 100'000'000;

struct DevOptions {
  std::string directory = ".";
  std::vector<std::string> settings;
  bool serve = false;
  bool once = false;
  std::string listen = "127.0.0.1:0";
  std::string data;  ///< empty: a temporary folder
  StepOptions step;
};

/// Signals that end the loop, waited for in place of a pause. Before any thread is started.
class Ending {
 public:
  Ending() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      sigaddset(&set_, signal);
    }
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  /// Whether one came within a short pause. From then on another ends the process at once.
  bool came() {
    const timespec pause{0, look_pause_ns};
    const bool ended = sigtimedwait(&set_, nullptr, &pause) > 0;
    if (ended) {
      pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
    }
    return ended;
  }

 private:
  sigset_t set_{};
};

struct Round {
  std::string name;
  std::vector<Error> errors;
  std::vector<Error> warnings;
  bundle::Files files;
  JsonArray scenarios;  ///< [{name, ok}]
  std::size_t broken = 0;
};

void add_scenarios(const DevOptions& options, const JsonObject& overrides, bundle::Learnt* learnt,
                   Round* round) {
  auto files = scenario::read_scenario_files(options.directory);
  if (!files.ok()) {
    round->errors.push_back(std::move(files).error());
    return;
  }
  auto read = scenario::read_scenarios(*files);
  std::move(read.errors.begin(), read.errors.end(), std::back_inserter(round->errors));
  for (const scenario::Scenario& one : read.scenarios) {
    auto verdict = scenario::run_scenario(one, round->files, overrides, learnt);
    std::vector<Error> failures =
        verdict.ok() ? std::move(verdict->failures) : std::vector<Error>{verdict.error()};
    round->broken += failures.empty() ? 0 : 1;
    round->scenarios.push_back(JsonObject{{"name", one.name}, {"ok", failures.empty()}});
    for (Error& failure : failures) {
      round->errors.push_back(
          std::move(failure).with(fmt::format("playing the scenario '{}'", one.name)));
    }
  }
}

Round look_through(const DevOptions& options, const JsonObject& overrides, bundle::Learnt* learnt) {
  Round round;
  auto looked = check_folder(options.directory, overrides);
  if (!looked.ok()) {
    round.errors.push_back(std::move(looked).error());
    return round;
  }
  round.files = std::move(looked->files);
  round.errors = std::move(looked->checked.errors);
  round.warnings = std::move(looked->checked.warnings);
  if (round.errors.empty()) {
    round.name = looked->checked.bundle->name;
    add_scenarios(options, overrides, learnt, &round);
  }
  return round;
}

JsonArray errors_json(const std::vector<Error>& errors) {
  JsonArray out;
  for (const Error& error : errors) {
    out.push_back(error_json(error));
  }
  return out;
}

std::string clock_text() {
  return to_rfc3339(runtime::system_clock().now()).substr(11, 8);  // "14:45:45", UTC
}

void print_round(const Round& round, std::size_t shown) {
  for (const Error& error : round.errors) {
    fmt::print("{}\n", shown_text(error.text()));
  }
  for (const Error& warning : round.warnings) {
    fmt::print("warning: {}\n", shown_text(warning.text()));
  }
  const std::size_t held = round.scenarios.size() - round.broken;
  if (round.errors.empty()) {
    fmt::print("{} ok: {}, {} files, {} scenarios hold\n", clock_text(), round.name, shown, held);
  } else {
    fmt::print("{} {} problem{}; {} of {} scenarios hold\n", clock_text(), round.errors.size(),
               round.errors.size() == 1 ? "" : "s", held, round.scenarios.size());
  }
}

/// What the server says of it: the answer to a deployment, or its error.
Result<Json> deploy(const DevServer& server, const Round& round, const JsonObject& overrides) {
  JsonObject contents;
  for (const auto& [path, bytes] : round.files) {
    contents[path] = to_base64(bytes);
  }
  return server.call("POST", "/api/v1/deployments",
                     JsonObject{{"files", std::move(contents)}, {"parameters", overrides}});
}

void print_deployed(const Result<Json>& deployed) {
  if (!deployed.ok()) {
    fmt::print("not deployed: {}\n", shown_text(deployed.error().text()));
    return;
  }
  const Json answer = shown(*deployed);
  if (const Json* plan = find(answer, "plan")) {
    print_changes(*plan);
  }
  fmt::print("{} as deployment {}\n",
             bool_or(answer, "changed", true) ? "deployed" : "runs already",
             int_or(answer, "number", 0));
  for (const std::string& warning : texts_of(find(answer, "warnings"))) {
    fmt::print("warning: {}\n", warning);
  }
}

/// One round with its report. @return whether all is well
bool do_round(const Session& session, const DevOptions& options, const JsonObject& overrides,
              const DevServer* server, bundle::Learnt* learnt) {
  const Round round = look_through(options, overrides, learnt);
  const bool good = round.errors.empty();
  std::optional<Result<Json>> deployed;
  if (good && server != nullptr) {
    deployed = deploy(*server, round, overrides);
  }
  if (session.json) {
    JsonObject line{{"ok", good},
                    {"errors", errors_json(round.errors)},
                    {"warnings", errors_json(round.warnings)},
                    {"scenarios", round.scenarios}};
    if (deployed) {
      line["deployed"] = deployed->ok() ? **deployed : error_json(deployed->error());
    }
    fmt::print("{}\n", shown_json(to_text(line)));
  } else {
    print_round(round, round.files.size());
    if (deployed) {
      print_deployed(*deployed);
    }
  }
  std::fflush(stdout);
  return good && (!deployed || deployed->ok());
}

void tell_where(const DevServer& server) {
  tell("aios: development server on {}, data in {}\n", server.url(), server.data());
  tell("aios: send events with: aios events send FILE --data {}\n", server.data());
  tell("aios: its key, for curl: $(cat {}/first-key)\n", server.data());
}

Result<void> watch(const Session& session, const DevOptions& options) {
  auto overrides = settings_in(options.settings);
  if (!overrides.ok()) {
    return std::move(overrides).error();
  }
  if (auto files = bundle::read_bundle_directory(options.directory); !files.ok()) {
    return std::move(files).error();  // a slip in the name of the folder is not waited for
  }
  Ending ending;
  std::unique_ptr<DevServer> server;
  if (options.serve) {
    auto started = DevServer::start({options.listen, options.data});
    if (!started.ok()) {
      return std::move(started).error();
    }
    server = *std::move(started);
    tell_where(*server);
  }
  FolderWatch folder(options.directory);
  folder.know();
  bundle::Learnt learnt;  // a save that leaves the articles alone does not wait for them
  bool good = do_round(session, options, *overrides, server.get(), &learnt);
  if (!options.once) {
    tell("aios: watching '{}'; Ctrl-C ends\n", options.directory);
  }
  while (!options.once && !ending.came()) {
    if (folder.changed()) {
      good = do_round(session, options, *overrides, server.get(), &learnt);
    }
  }
  if (options.once && !good) {
    return Error(Code::invalid_argument, fmt::format("'{}' has problems", options.directory))
        .page(1410);
  }
  return {};
}

Result<void> act(const Session& session, const DevOptions& options) {
  if (options.step.name.empty()) {
    return watch(session, options);
  }
  auto overrides = settings_in(options.settings);
  return overrides.ok() ? run_one_step(session, options.directory, *overrides, options.step)
                        : Result<void>(std::move(overrides).error());
}

}  // namespace

void add_dev_command(Command& app, Session& session) {
  auto options = std::make_shared<DevOptions>();
  auto* command = app.add_subcommand(
      "dev", "Check and try a bundle at each save; or run one step of it with --step");
  command->add_option("directory", options->directory, "App bundle (has an aios.yaml)")
      ->capture_default_str();
  command->add_option("--set", options->settings, "NAME=VALUE of a parameter; repeatable");
  auto* serve = command->add_flag("--serve", options->serve,
                                  "Deploy it each time to a server of this process");
  command->add_option("--listen", options->listen, "HOST:PORT of that server; port 0: any free one")
      ->needs(serve)
      ->capture_default_str();
  command->add_flag("--once", options->once, "One round, then end: 1 when something is wrong");
  auto* step = command->add_option("--step", options->step.name,
                                   "WORKFLOW/TASK: run this task alone, with nothing outside");
  step->excludes(serve);
  command->add_option("--input", options->step.input, "What the task gets: JSON, or a file with it")
      ->needs(step);
  command->add_option("--context", options->step.context, "Its $context: JSON, or a file with it")
      ->needs(step);
  command
      ->add_option("--scenario", options->step.scenario,
                   "Models and systems answer as in the first scenario with this in its name")
      ->needs(step);
  command->footer(
      "With --serve and --data DIR the server keeps its data; without, they go with it.");
  Option* data = app.get_option("--data");
  command->callback([&session, options, data] {
    options->data = data->count() > 0 ? session.target.data : "";
    session.action = [&session, options] { return act(session, *options); };
  });
}

}  // namespace aios::app

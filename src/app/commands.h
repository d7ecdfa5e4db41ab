// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/commands: the verbs of the command line. Each file of app/commands/ adds its own and, when
// chosen, leaves what to run in Session::action. Data goes to stdout, the rest to stderr.

#include "app/client.h"
#include "app/command_line.h"
#include "core/result.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::app {

struct Session {
  Target target;
  bool data_given = false;  ///< --data or AIOS_DATA
  bool json = false;        ///< --json: print the API's answer as it is
  bool parse_only = false;  ///< --parse-only: do nothing
  std::function<Result<void>()> action;
  int exit_code = 0;  ///< of an action that succeeds; not 0: also of one that fails

  /// Connects, calls, and gives the answer.
  Result<Json> call(const Call& request) const;
};

/// The error page of a command that Ctrl-C ended; it exits with 130.
inline constexpr int page_interrupted = 1416;

/// Prints compact JSON with --json, else calls the printer with texts that are safe to show.
void print(const Session& session, const Json& answer,
           const std::function<void(const Json&)>& printer);
struct PageOptions {
  std::uint32_t limit = 50;
  std::string after;  ///< an ID; empty: from the start
};
/// --limit and --after of a list.
void add_page(Command& command, PageOptions* page);
std::string page_query(const PageOptions& page);  ///< "limit=50&after="
/// On stderr where the page is not the last: how to see the next one.
void tell_more(const Json& page);
/// A plain table without colours, as app/table lays it out; columns that do not fit the terminal
/// are named on stderr, so the important ones come first.
void print_table(std::vector<std::string> header, std::vector<std::vector<std::string>> rows,
                 std::string_view text_title = "");
/// A time of the API, to the second: "2026-11-21T14:45:45Z".
std::string seconds_text(std::string_view time);
/// The whole file; not_found or resource_exhausted (over 64 MiB) naming it.
Result<std::string> read_file(const std::string& path);

void add_serve(Command& app, Session& session);
void add_config_command(Command& app, Session& session);
void add_bundle_commands(Command& app, Session& session);
void add_deployment_commands(Command& app, Session& session);
void add_new_command(Command& app, Session& session);
void add_model_commands(Command& app, Session& session);
/// @param model  the command "model".
void add_learning_commands(Command& model, Session& session);
void add_run_commands(Command& app, Session& session);
void add_run_file_command(Command& app, Session& session);
void add_task_commands(Command& app, Session& session);
void add_delivery_commands(Command& app, Session& session);
void add_event_commands(Command& app, Session& session);
void add_review_commands(Command& app, Session& session);
void add_audit_commands(Command& app, Session& session);
void add_doctor_command(Command& app, Session& session);
void add_tenant_commands(Command& app, Session& session);
void add_key_commands(Command& app, Session& session);
void add_budget_commands(Command& app, Session& session);
void add_backup_commands(Command& app, Session& session);
void add_errors_command(Command& app, Session& session);

}  // namespace aios::app

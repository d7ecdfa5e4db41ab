// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/detail/run_commands: what the files of the run commands share.

#include "app/commands.h"

#include <string>
#include <string_view>
#include <vector>

namespace aios::app {

/// "/api/v1/runs/<id><rest>".
std::string run_path(const std::string& id, std::string_view rest);
/// The whole name of a workflow that a user gave in short; empty: of all.
Result<std::string> whole_workflow_name(const Session& session, const std::string& given);
/// A time of the API from what a user gives: RFC 3339, or how long ago: "2h", "3d", "PT30M"; empty
/// stays empty. invalid_argument [AIOS-1341].
Result<std::string> time_given(std::string_view option, const std::string& given);

/// All of several --where: joined by `and`.
std::string joined_conditions(const std::vector<std::string>& where);

Result<void> show_run(const Session& session, const std::string& id);
void add_run_search(Command& runs, Session& session);
void add_run_retry(Command& runs, Session& session);
void add_run_export(Command& runs, Session& session);

}  // namespace aios::app

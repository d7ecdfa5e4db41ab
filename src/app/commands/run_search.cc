// SPDX-License-Identifier: Apache-2.0
// aios runs search: runs by their search attributes and by what every run has.
#include "app/detail/run_commands.h"
#include "app/terminal.h"

#include "core/text.h"
#include "net/http.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

namespace aios::app {
namespace {

struct SearchOptions {
  std::vector<std::string> where;
  std::string status, workflow, version, error, step;
  std::string since, until, from, before;
  PageOptions page;
};

std::string value_text(const Json& value) {
  return value.is_string() ? std::string(view(value.get_string())) : to_text(value);
}

/// "amount 80, intent refund".
std::string attributes_text(const Json& run) {
  std::string out;
  if (const Json* found = find(run, "attributes"); found != nullptr && found->is_object()) {
    for (const auto& one : found->get_object()) {
      out += fmt::format("{}{}={}", out.empty() ? "" : ", ", std::string_view(one.key()),
                         value_text(one.value()));
    }
  }
  return out;
}

std::string page_text(const Json& run) {
  const Json* error = find(run, "error");
  return error == nullptr ? "" : std::string(text_or(*error, "page", ""));
}

void print_found(const Json& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& run : answer.at("items").as_array()) {
    rows.push_back(
        {std::string(text_or(run, "id", "")), std::string(text_or(run, "status", "")),
         attributes_text(run), page_text(run), seconds_text(text_or(run, "updated", "")),
         fmt::format("{}@{}", text_or(run, "workflow", ""), text_or(run, "version", ""))});
  }
  print_table({"ID", "STATUS", "ATTRIBUTES", "ERROR", "UPDATED", "WORKFLOW"}, std::move(rows),
              "ATTRIBUTES");
}

Result<std::string> path_of(const Session& session, const SearchOptions& options) {
  auto workflow = whole_workflow_name(session, options.workflow);
  if (!workflow.ok()) {
    return std::move(workflow).error();
  }
  std::string path = "/api/v1/run-search?" + page_query(options.page);
  const auto add = [&path](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      path += fmt::format("&{}={}", name, net::percent_encode(value));
    }
  };
  add("where", joined_conditions(options.where));
  add("workflow", *workflow);
  add("status", options.status);
  add("version", options.version);
  add("error", options.error);
  add("step", options.step);
  const std::pair<std::string_view, const std::string*> times[] = {{"since", &options.since},
                                                                   {"until", &options.until},
                                                                   {"from", &options.from},
                                                                   {"before", &options.before}};
  for (const auto& [name, given] : times) {
    auto time = time_given(fmt::format("--{}", name), *given);
    if (!time.ok()) {
      return std::move(time).error();
    }
    add(name, *time);
  }
  return path;
}

Result<void> search(const Session& session, const SearchOptions& options) {
  auto path = path_of(session, options);
  if (!path.ok()) {
    return std::move(path).error();
  }
  auto answer = session.call({"GET", *path, nullptr});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, print_found);
  if (bool_or(*answer, "cut", false)) {  // with --json too: on stderr
    tell(
        "aios: not all was searched: {} runs and {} entries of the index were read, which is the "
        "most that one search reads. Go on with --after {}, or narrow it: --from, --status, "
        "--where with =\n",
        int_or(*answer, "looked_at", 0), int_or(*answer, "entries", 0),
        text_or(*answer, "next", ""));
  } else if (!session.json) {
    tell_more(*answer);
  }
  return {};
}

}  // namespace

std::string joined_conditions(const std::vector<std::string>& where) {
  return join(where, " and ");
}

void add_run_search(Command& runs, Session& session) {
  auto options = std::make_shared<SearchOptions>();
  auto* command = runs.add_subcommand("search", "Runs that fit all of what is given, newest first");
  command->add_option("--where", options->where,
                      "Conditions on search attributes: 'intent=refund and amount>50'; = != < <= "
                      "> >=");
  command
      ->add_option("--status", options->status,
                   "Only these: running, waiting, completed, faulted or cancelled")
      ->one_of({"running", "waiting", "completed", "faulted", "cancelled"});
  command->add_option("--workflow", options->workflow,
                      "Only runs of this one: NAME or NAMESPACE/NAME");
  command->add_option("--version", options->version, "Only runs of this version of it");
  command->add_option("--error", options->error, "Whose error has this page, such as AIOS-0904");
  command->add_option("--step", options->step, "That faulted at this task");
  command->add_option("--since", options->since,
                      "Whose last change was then or later: a time, or 30m, 2h, 3d ago");
  command->add_option("--until", options->until, "Whose last change was before");
  command->add_option("--from", options->from, "That began then or later (reads least)");
  command->add_option("--before", options->before, "That began before");
  add_page(*command, &options->page);
  command->callback([&session, options] {
    session.action = [&session, options] { return search(session, *options); };
  });
}

}  // namespace aios::app

// SPDX-License-Identifier: Apache-2.0
// aios runs retry: faulted runs, by their ids or by what they have in common.
#include "app/detail/run_commands.h"
#include "app/terminal.h"

#include "core/text.h"
#include "core/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace aios::app {
namespace {

constexpr std::uint32_t at_once_max = 200;  ///< by one request

struct RetryOptions {
  std::vector<std::string> ids;
  std::string workflow;
  std::string status;
  std::string since;
  std::string until;
  std::string error;
  std::vector<std::string> where;
  std::string definition = "same";
  std::uint32_t count_max = 100;
  bool yes = false;
};

Error unusable(std::string message) {
  return Error(Code::invalid_argument, std::move(message)).page(1341);
}

void print_rows(const Json& items, bool dry_run) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& item : items.as_array()) {
    const Json* error = find(item, "error");
    const auto page = error == nullptr ? std::string_view() : text_or(*error, "page", "");
    const auto step = error == nullptr ? std::string_view() : text_or(*error, "instance", "");
    rows.push_back({std::string(text_or(item, "id", "")),
                    dry_run                           ? ""
                    : bool_or(item, "retried", false) ? "retried"
                                                      : "refused",
                    std::string(page), std::string(step),
                    seconds_text(text_or(item, "updated", "")),
                    std::string(text_or(item, "why", ""))});
  }
  if (dry_run) {
    for (auto& row : rows) {
      row.erase(row.begin() + 1);
      row.pop_back();
    }
    print_table({"ID", "ERROR", "STEP", "FAULTED"}, std::move(rows));
  } else {
    print_table({"ID", "OUTCOME", "ERROR", "STEP", "FAULTED", "WHY"}, std::move(rows), "WHY");
  }
}

/// Exit code 1 where one was refused: a script sees it.
Result<void> tell(const Session& session, const RetryOptions& options, JsonArray items, bool more) {
  const auto refused =
      static_cast<std::size_t>(std::count_if(items.begin(), items.end(), [](const Json& item) {
        return find(item, "retried") != nullptr && !bool_or(item, "retried", true);
      }));
  const std::size_t count = items.size();
  const bool dry_run = !options.yes;
  JsonObject answer{{"items", std::move(items)}, {"dry_run", dry_run}, {"more", more}};
  print(session, answer, [dry_run](const Json& it) { print_rows(it.at("items"), dry_run); });
  if (dry_run) {
    aios::app::tell("{} {} would be tried again{}; nothing was done: say --yes\n", count,
                    count == 1 ? "run" : "runs", more ? ", and there are more than --max" : "");
    return {};
  }
  aios::app::tell("{} tried again, {} refused{}\n", count - refused, refused,
                  more ? "; there are more than --max" : "");
  return refused == 0 ? Result<void>()
                      : Error(Code::failed_precondition,
                              fmt::format("{} of {} runs were not tried again", refused, count));
}

Result<void> retry_some(const Session& session, const RetryOptions& options) {
  auto workflow = whole_workflow_name(session, options.workflow);
  auto since = time_given("--since", options.since);
  auto until = time_given("--until", options.until);
  for (const auto* given : {&workflow, &since, &until}) {
    if (!given->ok()) {
      return given->error();
    }
  }
  JsonArray items;
  std::string after;
  bool more = true;
  while (more && items.size() < options.count_max) {
    const auto left = static_cast<std::uint32_t>(options.count_max - items.size());
    JsonObject body{{"workflow", *workflow},
                    {"since", *since},
                    {"until", *until},
                    {"error", options.error},
                    {"where", joined_conditions(options.where)},
                    {"definition", options.definition},
                    {"max", std::min(left, at_once_max)},
                    {"after", after},
                    {"dry_run", !options.yes}};
    auto page = session.call({"POST", "/api/v1/run-retries", std::move(body)});
    if (!page.ok()) {
      return std::move(page).error();
    }
    for (Json& item : page->at("items").as_array()) {
      items.push_back(std::move(item));
    }
    after = text_or(*page, "next", "");
    more = !after.empty();
  }
  return tell(session, options, std::move(items), more);
}

Result<void> retry_named(const Session& session, const RetryOptions& options) {
  JsonArray items;
  for (const std::string& id : options.ids) {
    JsonObject row{{"id", id}};
    auto done = session.call(
        {"POST", run_path(id, "/retry"), JsonObject{{"definition", options.definition}}});
    row["retried"] = done.ok();
    if (!done.ok()) {
      if (options.ids.size() == 1) {
        return std::move(done).error();
      }
      row["why"] = done.error().text();
    }
    items.push_back(std::move(row));
  }
  RetryOptions said;
  said.yes = true;
  return tell(session, said, std::move(items), false);
}

Result<void> retry(const Session& session, const RetryOptions& options) {
  if (!options.ids.empty()) {
    return retry_named(session, options);
  }
  if (options.workflow.empty()) {
    return unusable("found neither a run's id nor --workflow, wanted one of them");
  }
  return retry_some(session, options);
}

}  // namespace

Result<std::string> time_given(std::string_view option, const std::string& given) {
  if (given.empty() || parse_rfc3339(given).ok()) {
    return given;
  }
  constexpr std::pair<char, std::int64_t> units[] = {
      {'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}, {'w', 604'800}};
  std::int64_t count = 0;
  const char* end = given.data() + given.size() - 1;
  const auto read = std::from_chars(given.data(), end, count);
  const auto unit = std::find_if(std::begin(units), std::end(units),
                                 [&](const auto& one) { return one.first == *end; });
  if (read.ec != std::errc() || read.ptr != end || count < 0 || count > 100'000 ||
      unit == std::end(units)) {
    return unusable(
        fmt::format("{} is '{}', wanted a time such as 2026-11-21T14:00:00Z, or how "
                    "long ago: 90s, 30m, 2h, 3d, 1w",
                    option, excerpt(given, 60)));
  }
  const Time now = runtime::system_clock().now();
  return to_rfc3339(now - std::chrono::seconds(count * unit->second));
}

void add_run_retry(Command& runs, Session& session) {
  auto options = std::make_shared<RetryOptions>();
  auto* command = runs.add_subcommand(
      "retry", "Try faulted runs again, from the step that faulted; many: a dry run first");
  command->add_option("ids", options->ids, "run_...; or choose by --workflow");
  command->add_option("--workflow", options->workflow,
                      "All faulted runs of this one: NAME or NAMESPACE/NAME");
  command->add_option("--status", options->status, "Only faulted runs can be tried again")
      ->one_of({"faulted"});
  command->add_option("--since", options->since, "That faulted since: a time, or 30m, 2h, 3d ago");
  command->add_option("--until", options->until, "That faulted before");
  command->add_option("--error", options->error, "Whose error has this page, such as AIOS-0904");
  command->add_option("--where", options->where,
                      "Whose search attributes fit, such as 'intent=refund' (several: all)");
  command
      ->add_option("--definition", options->definition,
                   "same: the version each run has; newest: the one that is deployed now")
      ->one_of({"same", "newest"});
  command->add_option("--max", options->count_max, "At most so many (default 100)")
      ->within(1, 10'000);
  command->add_flag("--yes", options->yes, "Do it; without it the runs are only listed");
  command->callback([&session, options] {
    session.action = [&session, options] { return retry(session, *options); };
  });
}

}  // namespace aios::app

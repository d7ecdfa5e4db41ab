// SPDX-License-Identifier: Apache-2.0
#include "app/detail/run_commands.h"
#include "app/page.h"
#include "app/terminal.h"
#include "app/workflow_name.h"

#include "core/text.h"
#include "net/http.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

struct RunOptions {
  std::string id;
  std::string status;
  std::string workflow;
  std::string incident;
  std::string resolution;
  std::string result;
  PageOptions page;
  bool children = false;
};

/// Why a run faulted: the whole sentence where it may be read, else its page.
std::string error_of(const Json& run) {
  const Json* error = find(run, "error");
  if (error == nullptr) {
    return "";
  }
  const auto detail = text_or(*error, "detail", "");
  return std::string(detail.empty() ? text_or(*error, "page", "") : detail);
}

std::string step_of(const Json& run) {
  const Json* error = find(run, "error");
  return error == nullptr ? "" : std::string(text_or(*error, "instance", ""));
}

void print_runs(const Json& items) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& run : items.as_array()) {
    rows.push_back({std::string(text_or(run, "id", "")), std::string(text_or(run, "status", "")),
                    std::string(text_or(run, "waiting_for", "")),
                    seconds_text(text_or(run, "updated", "")),
                    fmt::format("{}@{}", text_or(run, "workflow", ""), text_or(run, "version", "")),
                    std::string(text_or(run, "parent", ""))});
  }
  print_table({"ID", "STATUS", "WAITING FOR", "UPDATED", "WORKFLOW", "PARENT"}, std::move(rows),
              "WAITING FOR");
}

/// They wait for nothing: where it went wrong, and how.
void print_faulted(const Json& items) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& run : items.as_array()) {
    rows.push_back(
        {std::string(text_or(run, "id", "")), error_of(run), step_of(run),
         seconds_text(text_or(run, "updated", "")),
         fmt::format("{}@{}", text_or(run, "workflow", ""), text_or(run, "version", ""))});
  }
  print_table({"ID", "ERROR", "STEP", "UPDATED", "WORKFLOW"}, std::move(rows), "ERROR");
}

Result<void> list(const Session& session, const RunOptions& options) {
  auto workflow = whole_workflow_name(session, options.workflow);
  if (!workflow.ok()) {
    return std::move(workflow).error();
  }
  auto page = session.call(
      {"GET",
       fmt::format("/api/v1/runs?order=newest&{}&status={}&workflow={}&branches={}",
                   page_query(options.page), options.status, net::percent_encode(*workflow),
                   options.children ? "shown" : "hidden"),
       nullptr});
  if (!page.ok()) {
    return std::move(page).error();
  }
  print(session, *page, [&options](const Json& it) {
    options.status == "faulted" ? print_faulted(it.at("items")) : print_runs(it.at("items"));
    tell_more(it);
  });
  return {};
}

Result<void> show(const Session& session, const RunOptions& options) {
  return show_run(session, options.id);
}

constexpr std::size_t value_characters_max = 160;

/// "7 2026-11-21T14:45:45Z effect_result step /do/2/pay attempt 1 outcome done": what of it is one
/// value, then the steps that led there. Salts and what they open are in --json.
void print_entry(const Json& entry) {
  std::string about;
  std::string path;
  const Json* data = find(entry, "data");
  if (data != nullptr && data->is_object()) {
    for (const auto& member : data->get_object()) {
      const std::string name(member.key());
      if (name == "path") {
        path = " path " + join(texts_of(&member.value()), " ");
      } else if (!member.value().is_structured()) {
        about +=
            fmt::format(" {} {}", name, excerpt(value_text(member.value()), value_characters_max));
      }
    }
  }
  fmt::print("{} {} {}{}{}{}\n", int_or(entry, "version", 0),
             seconds_text(text_or(entry, "time", "")), text_or(entry, "type", ""),
             bool_or(entry, "erased", false) ? " (erased with its subject)" : "", about, path);
}

Result<void> history(const Session& session, const RunOptions& options) {
  auto answer = session.call({"GET", run_path(options.id, "/history"), nullptr});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, [](const Json& it) {
    for (const Json& entry : it.at("items").as_array()) {
      print_entry(entry);
    }
  });
  return {};
}

Result<void> explain(const Session& session, const RunOptions& options) {
  auto answer = session.call({"GET", run_path(options.id, "/explain"), nullptr});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, [](const Json& it) { fmt::print("{}\n", text_or(it, "text", "")); });
  return {};
}

Result<void> cancel(const Session& session, const RunOptions& options) {
  auto answer = session.call({"POST", run_path(options.id, "/cancel"), nullptr});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, [&](const Json& it) {
    const auto incident = text_or(it, "incident", "");
    if (!bool_or(it, "changed", true)) {
      fmt::print("{} was cancelled before\n", options.id);
    } else if (incident.empty()) {
      fmt::print("cancelled {}\n", options.id);
    } else {
      fmt::print("{} ends as cancelled when incident {} is settled: aios explain {}\n", options.id,
                 incident, options.id);
    }
  });
  return {};
}

Result<void> resolve(const Session& session, const RunOptions& options) {
  if (options.resolution == "approve" || options.resolution == "send-back") {
    auto answer = session.call({"POST", run_path(options.id, "/resolve/" + options.resolution),
                                JsonObject{{"incident", options.incident}}});
    if (!answer.ok()) {
      return std::move(answer).error();
    }
    print(session, *answer,
          [&](const Json& it) { fmt::print("{}: {}\n", options.id, text_or(it, "status", "")); });
    return {};
  }
  JsonObject body{{"incident", options.incident}, {"resolution", options.resolution}};
  if (!options.result.empty()) {
    auto result = parse_json(options.result);
    if (!result.ok()) {
      return std::move(result).error().with("reading --result");
    }
    body["result"] = std::move(*result);
  }
  auto answer = session.call({"POST", run_path(options.id, "/resolve"), std::move(body)});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, [&](const Json& it) {
    fmt::print("{}: {}\n", options.id, options.resolution);
    if (text_or(it, "status", "") == "proposed") {
      tell("aios: it waits for another person: aios runs resolve {} {} approve\n", options.id,
           options.incident);
    }
  });
  return {};
}

}  // namespace

std::string run_path(const std::string& id, std::string_view rest) {
  return fmt::format("/api/v1/runs/{}{}", net::percent_encode(id), rest);
}

Result<std::string> whole_workflow_name(const Session& session, const std::string& given) {
  if (given.empty()) {
    return given;
  }
  auto page = session.call({"GET", "/api/v1/definitions", nullptr});
  return page.ok() ? past_or_present_name(*page, given) : std::move(page).error();
}

void add_run_commands(Command& app, Session& session) {
  auto options = std::make_shared<RunOptions>();
  const auto set = [&session, options](Command* command, auto function) {
    command->callback([&session, options, function] {
      session.action = [&session, options, function] { return function(session, *options); };
    });
  };
  const auto with_id = [options](Command* command) {
    command->add_option("id", options->id, "run_...")->required();
    return command;
  };
  auto* runs = app.add_subcommand("runs", "Executions of workflows")->require_subcommand();
  auto* all = runs->add_subcommand("list", "Runs, newest first");
  all->add_option("--status", options->status,
                  "Only these: running, waiting, completed, faulted or cancelled")
      ->one_of({"running", "waiting", "completed", "faulted", "cancelled"});
  all->add_option("--workflow", options->workflow, "Only runs of this one: NAME or NAMESPACE/NAME");
  all->add_flag("--children", options->children, "Also the branches of a fork");
  add_page(*all, &options->page);
  set(all, list);
  set(with_id(runs->add_subcommand(
          "show", "One case whole: what came in, who and what decided, what was done, its proof")),
      show);
  set(with_id(runs->add_subcommand("history",
                                   "What a run did, a line an event; --json has all of each, and "
                                   "what opens its audit leaves")),
      history);
  set(with_id(runs->add_subcommand("cancel", "Cancel a run")), cancel);
  add_run_search(*runs, session);
  add_run_retry(*runs, session);
  add_run_export(*runs, session);
  auto* incident = with_id(
      runs->add_subcommand("resolve", "Say what became of an effect whose outcome is unknown"));
  incident->add_option("incident", options->incident, "inc_..., as aios explain names it")
      ->required();
  incident
      ->add_option(
          "resolution", options->resolution,
          "retry, happened or fail; of what another said that waits for approval: approve or "
          "send-back")
      ->required()
      ->one_of({"retry", "happened", "fail", "approve", "send-back"});
  incident->add_option("--result", options->result, "JSON the step gives (with 'happened')");
  set(incident, resolve);
  set(with_id(app.add_subcommand("explain", "Where a run is, what it waits for, what was tried")),
      explain);
}

}  // namespace aios::app

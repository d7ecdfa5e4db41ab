// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/page.h"
#include "app/terminal.h"

#include "net/http.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

struct TaskOptions {
  std::string id;
  std::string workflow;
  std::string input;
  std::string deadline;
  std::string timeout;
  std::string callback;
  std::string secret;
  std::string subject;
  std::string key;
  std::uint32_t wait_seconds = 0;     ///< of submit
  std::uint32_t seconds_max = 3'600;  ///< of wait
};

constexpr int exit_not_ended = 3;
constexpr std::uint32_t wait_step_seconds = 30;  // of one call, and of the time between two looks

std::string task_path(const TaskOptions& options, std::string_view rest) {
  return fmt::format("/api/v1/tasks/{}{}", net::percent_encode(options.id), rest);
}

bool has_ended(const Json& task) {
  const std::string_view status = text_or(task, "status", "");
  return status == "completed" || status == "faulted" || status == "cancelled";
}

/// Also what was kept back: a key that neither handed it in nor reads payloads sees no outcome.
void print_task(const Json& task) {
  const auto id = text_or(task, "id", "");
  const auto status = text_or(task, "status", "");
  page_line("TASK", fmt::format("{} {}", id, status));
  page_line("WORKFLOW", fmt::format("{} version {}", text_or(task, "workflow", ""),
                                    text_or(task, "version", "")));
  const auto created = text_or(task, "created", "");
  if (!has_ended(task)) {
    page_line("HANDED IN", seconds_text(created));
    page_line("WAITS FOR", text_or(task, "waiting_for", ""));
    page_command("NEXT", fmt::format("aios tasks wait {}", id));
    return;
  }
  const auto ended = text_or(task, "ended", "");
  page_line("TIME", fmt::format("{} to {}, {}", seconds_text(created), seconds_text(ended),
                                took_text(created, ended)));
  const Json* output = find(task, "output");
  const Json* error = find(task, "error");
  if (output != nullptr) {
    page_members("OUTPUT", *output);
  }
  if (error != nullptr) {
    page_members("ERROR", *error);
  }
  if (output == nullptr && error == nullptr && status != "cancelled") {
    page_line(status == "completed" ? "OUTPUT" : "ERROR",
              "not shown: wants the key that handed it in, or one that reads payloads");
  }
  if (status == "faulted") {
    page_command("NEXT", fmt::format("aios explain {}", id));
  }
}

/// A task that did not complete is a failure of the command that waited for it.
Result<void> show_end(const Session& session, const Json& task) {
  print(session, task, print_task);
  if (!has_ended(task) || text_or(task, "status", "") == "completed") {
    return {};
  }
  const Json* error = find(task, "error");
  const std::string_view detail = error == nullptr ? "" : text_or(*error, "detail", "");
  return Error(Code::failed_precondition,
               fmt::format("task {} {}{}{}", text_or(task, "id", ""), text_or(task, "status", ""),
                           detail.empty() ? "" : ": ", detail));
}

Result<void> wait_for(Session& session, const TaskOptions& options) {
  std::uint32_t left = options.wait_seconds;
  for (;;) {
    const std::uint32_t step = std::min(left, wait_step_seconds);
    auto task = session.call({"GET", task_path(options, fmt::format("?wait={}s", step)), nullptr});
    if (!task.ok()) {
      return std::move(task).error();
    }
    left -= step;
    if (has_ended(*task)) {
      return show_end(session, *task);
    }
    if (left == 0) {
      print(session, *task, print_task);
      session.exit_code = exit_not_ended;
      return Error(Code::deadline_exceeded,
                   fmt::format("task {} has not ended within {} s; it goes on: aios tasks wait {}",
                               options.id, options.wait_seconds, options.id));
    }
  }
}

Result<void> wait(Session& session, const TaskOptions& options) {
  TaskOptions bounded = options;
  bounded.wait_seconds = options.seconds_max;
  return wait_for(session, bounded);
}

Result<Json> body_of(const TaskOptions& options) {
  JsonObject body{{"workflow", options.workflow}};
  if (!options.input.empty()) {
    const bool is_file = options.input.front() == '@';
    auto text = is_file ? read_file(options.input.substr(1)) : Result<std::string>(options.input);
    if (!text.ok()) {
      return std::move(text).error();
    }
    auto input = parse_json(*text);
    if (!input.ok()) {
      return std::move(input).error().with("reading --input");
    }
    body["input"] = std::move(*input);
  }
  for (const auto& [name, value] :
       {std::pair("deadline", &options.deadline), std::pair("timeout", &options.timeout),
        std::pair("subject", &options.subject)}) {
    if (!value->empty()) {
      body[name] = *value;
    }
  }
  if (!options.callback.empty()) {
    JsonObject callback{{"url", options.callback}};
    if (!options.secret.empty()) {
      callback["secret"] = options.secret;
    }
    body["callback"] = std::move(callback);
  }
  return Json(std::move(body));
}

Result<void> submit(Session& session, const TaskOptions& options) {
  auto body = body_of(options);
  if (!body.ok()) {
    return std::move(body).error();
  }
  Call call{"POST", "/api/v1/tasks", std::move(*body)};
  call.idempotency_key = options.key;
  auto answer = session.call(call);
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  if (options.wait_seconds > 0) {
    TaskOptions handed_in = options;
    handed_in.id = text_or(*answer, "id", "");
    // Before the waiting: whoever ends that (Ctrl-C) has the id of what goes on.
    tell("aios: task {0} was taken and goes on without this command: aios tasks wait {0}\n",
         handed_in.id);
    return wait_for(session, handed_in);
  }
  print(session, *answer, [](const Json& it) {
    fmt::print("task {} was taken; 'aios tasks show {}' says what became of it\n",
               text_or(it, "id", ""), text_or(it, "id", ""));
  });
  return {};
}

Result<void> show(const Session& session, const TaskOptions& options) {
  auto task = session.call({"GET", task_path(options, ""), nullptr});
  if (!task.ok()) {
    return std::move(task).error();
  }
  print(session, *task, print_task);
  return {};
}

Result<void> cancel(const Session& session, const TaskOptions& options) {
  auto task = session.call({"POST", task_path(options, "/cancel"), nullptr});
  if (!task.ok()) {
    return std::move(task).error();
  }
  print(session, *task, [](const Json& it) {
    fmt::print("{} is {}\n", text_or(it, "id", ""), text_or(it, "status", ""));
  });
  return {};
}

}  // namespace

void add_task_commands(Command& app, Session& session) {
  auto options = std::make_shared<TaskOptions>();
  const auto set = [&session, options](Command* command, auto function) {
    command->callback([&session, options, function] {
      session.action = [&session, options, function] { return function(session, *options); };
    });
  };
  const auto with_id = [options](Command* command) {
    command->add_option("id", options->id, "run_..., as the submission answered")->required();
    return command;
  };
  auto* tasks = app.add_subcommand("tasks", "Work that is handed in and answered with its outcome")
                    ->require_subcommand();
  auto* hand_in = tasks->add_subcommand("submit", "Hand in a task");
  hand_in->add_option("workflow", options->workflow, "NAME or NAMESPACE/NAME")->required();
  hand_in->add_option("--input", options->input, "JSON, or @FILE that holds it");
  auto* deadline = hand_in->add_option("--deadline", options->deadline, "A time (RFC 3339)");
  hand_in->add_option("--timeout", options->timeout, "A duration (ISO 8601, such as PT10M)")
      ->excludes(deadline);
  auto* callback = hand_in->add_option("--callback", options->callback,
                                       "Address that is told of the end; the bundle must allow it");
  hand_in->add_option("--callback-secret", options->secret, "Name of the secret that signs it")
      ->needs(callback);
  hand_in->add_option("--subject", options->subject, "Data subject, for erasure");
  hand_in->add_option("--idempotency-key", options->key,
                      "The same key and body again: the same task");
  hand_in->add_option("--wait", options->wait_seconds, "Seconds to wait for its end")
      ->within(0, 86'400);
  set(hand_in, submit);
  set(with_id(tasks->add_subcommand("show", "One task, and its outcome when it has ended")), show);
  auto* waiting = with_id(tasks->add_subcommand("wait", "Wait for the end of a task"));
  waiting->add_option("--seconds", options->seconds_max, "At most so long")
      ->within(1, 86'400)
      ->capture_default_str();
  set(waiting, wait);
  set(with_id(tasks->add_subcommand("cancel", "Cancel a task")), cancel);
}

}  // namespace aios::app

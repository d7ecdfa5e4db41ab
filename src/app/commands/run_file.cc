// SPDX-License-Identifier: Apache-2.0
// aios run WORKFLOW --input rows.csv: every row becomes an event; waits until each run ended or
// waits for a person.
#include "app/commands.h"
#include "app/interrupt.h"
#include "app/workflow_name.h"

#include "core/crypto.h"
#include "core/text.h"
#include "expr/csv.h"
#include "net/client.h"
#include "runtime/executor.h"

#include <fmt/format.h>

#include <chrono>
#include <map>

namespace aios::app {
namespace {

constexpr std::string_view outcome_human = "human";  // a person is asked, and has not answered
constexpr std::size_t calls_at_once = 16;
constexpr auto poll_pause = std::chrono::milliseconds(200);
constexpr auto wait_max = std::chrono::minutes(10);

struct RunFileOptions {
  std::string workflow;
  std::string input;
  std::string label_column;
  std::string numbers;  ///< columns, with commas between
  std::string predicted =
      "predicted";                  ///< member of the run's output that is compared with the label
  std::string outcome = "outcome";  ///< member of the run's output that is counted
};

struct Row {
  std::string label;
  std::string run;
  Json view;  ///< the run as last seen
};

struct Report {
  std::map<std::string, std::uint64_t> statuses;
  std::map<std::string, std::uint64_t> outcomes;
  std::uint64_t labelled = 0;
  std::uint64_t right = 0;
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> right_by_outcome;  ///< right, all
};

struct Trigger {
  std::string type;      ///< of the events that start the workflow
  std::string workflow;  ///< "namespace/name"
};

Result<Trigger> trigger_of(ApiClient& client, const std::string& workflow) {
  auto page = client.call({"GET", "/api/v1/definitions", nullptr});
  if (!page.ok()) {
    return std::move(page).error();
  }
  auto found = find_workflow(*page, workflow);
  if (!found.ok()) {
    return std::move(found).error();
  }
  const auto& types = found->definition.at("triggers").as_array();
  if (types.empty()) {
    return Error(Code::failed_precondition,
                 fmt::format("workflow '{}' is triggered by no event", found->whole_name))
        .page(1411);
  }
  return Trigger{std::string(view(types.front().as_string())), found->whole_name};
}

/// What an event's data is made of: a cell is a text, and in a column of --numbers a number.
struct Cells {
  const expr::CsvTable* table;
  std::vector<bool> is_number;  ///< by column
};

Error no_column(const RunFileOptions& options, const expr::CsvTable& table,
                const std::string& name) {
  return Error(Code::not_found, fmt::format("{} has no column '{}', its columns are: {}",
                                            options.input, name, join(table.columns, ", ")))
      .page(1413);
}

Result<Json> number_in(const expr::CsvTable& table, std::size_t row, std::size_t column) {
  auto number = parse_json(table.rows[row].fields[column]);
  if (number.ok() && number->is_number()) {
    return *std::move(number);
  }
  return Error(Code::invalid_argument,
               fmt::format("row {} (line {}): column '{}' is '{}', wanted a number such as 12 or "
                           "0.5, for --numbers names it",
                           row + 1, table.rows[row].place.line, table.columns[column],
                           excerpt(table.rows[row].fields[column], 60)))
      .page(1412);
}

/// Every cell that has to be a number is one: before the first row is sent.
Result<Cells> cells_of(const expr::CsvTable& table, const RunFileOptions& options) {
  Cells cells{&table, std::vector<bool>(table.columns.size())};
  for (const std::string_view part : split(options.numbers, ',')) {
    const std::string name(trim(part));
    if (name.empty()) {
      continue;
    }
    const auto column = table.column(name);
    if (!column) {
      return no_column(options, table, name);
    }
    cells.is_number[*column] = true;
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      if (auto number = number_in(table, row, *column); !number.ok()) {
        return std::move(number).error();
      }
    }
  }
  return cells;
}

Call event_call(const Cells& cells, std::size_t index, const std::string& type,
                const std::string& batch) {
  const expr::CsvTable& table = *cells.table;
  JsonObject data;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    data[table.columns[i]] =
        cells.is_number[i] ? *number_in(table, index, i) : Json(table.rows[index].fields[i]);
  }
  JsonObject event{{"specversion", "1.0"},
                   {"id", fmt::format("{}-{}", batch, index + 1)},
                   {"source", "aios-run"},
                   {"type", type},
                   {"datacontenttype", "application/json"},
                   {"data", std::move(data)}};
  Call call{"POST", "/api/v1/events", std::move(event)};
  call.content_type = "application/cloudevents+json";
  return call;
}

bool settled(const Json& run) {
  const std::string_view status = text_or(run, "status", "");
  return status == "completed" || status == "faulted" || status == "cancelled" ||
         (status == "waiting" &&
          text_or(run, "waiting_for", "").find("review") != std::string_view::npos);
}

/// How far a command came that Ctrl-C ended. What is sent goes on without it.
Error interrupted(std::size_t sent, std::size_t maybe, std::size_t rows, const Trigger& trigger) {
  return Error(
             Code::cancelled,
             fmt::format("interrupted after {} of {} rows were sent{}; their runs go on, see them "
                         "with 'aios runs list --workflow {}'",
                         sent, rows, maybe == 0 ? "" : fmt::format(" and perhaps {} more", maybe),
                         trigger.workflow))
      .page(page_interrupted);
}

Error interrupted_sending(const std::vector<Result<Json>>& answers, const Trigger& trigger) {
  std::size_t sent = 0;
  std::size_t maybe = 0;
  for (const auto& answer : answers) {
    sent += answer.ok() ? 1 : 0;
    maybe += !answer.ok() && net::sent_of(answer.error()) == net::Sent::maybe ? 1 : 0;
  }
  return interrupted(sent, maybe, answers.size(), trigger);
}

Result<std::vector<Row>> send_all(ApiClient& client, Interrupt& interrupt, const Cells& cells,
                                  const Trigger& trigger, std::optional<std::size_t> label) {
  const expr::CsvTable& table = *cells.table;
  const std::string batch =
      runtime::new_id("batch", runtime::system_clock(), runtime::system_random());
  std::vector<Call> calls;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    calls.push_back(event_call(cells, i, trigger.type, batch));
  }
  auto answers = client.call_all(std::move(calls), calls_at_once);
  if (interrupt.came()) {
    return interrupted_sending(answers, trigger);
  }
  std::vector<Row> rows(table.rows.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i].ok()) {
      return std::move(answers[i])
          .error()
          .with(fmt::format("sending row {} (line {})", i + 1, table.rows[i].place.line));
    }
    rows[i].run = text_or(*answers[i], "run", "");
    rows[i].label = label ? table.rows[i].fields[*label] : "";
    if (rows[i].run.empty()) {
      return Error(Code::invalid_argument,
                   fmt::format("row {} (line {}) became a dead letter: {}", i + 1,
                               table.rows[i].place.line, text_or(*answers[i], "reason", "")))
          .page(1412);
    }
  }
  return rows;
}

/// Asks for every run that is not settled, again and again, for at most ten minutes.
Result<void> wait_all(ApiClient& client, Interrupt& interrupt, const Trigger& trigger,
                      std::vector<Row>* rows) {
  runtime::Clock& clock = runtime::system_clock();
  const Instant end = clock.instant() + wait_max;
  for (;;) {
    std::vector<Call> calls;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < rows->size(); ++i) {
      if (!settled((*rows)[i].view)) {
        open.push_back(i);
        calls.push_back({"GET", "/api/v1/runs/" + (*rows)[i].run, nullptr});
      }
    }
    if (open.empty() || clock.instant() > end) {
      return {};
    }
    auto answers = client.call_all(std::move(calls), calls_at_once);
    if (interrupt.came()) {
      return interrupted(rows->size(), 0, rows->size(), trigger);
    }
    bool all = true;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (!answers[i].ok()) {
        return std::move(answers[i]).error();
      }
      all = all && settled(*answers[i]);
      (*rows)[open[i]].view = std::move(*answers[i]);
    }
    if (!all) {
      client.pause(poll_pause);
    }
  }
}

/// What the model said: the output's member, or, where a person is still asked, the last inference.
std::string predicted_of(const Json& run, const Json& output, const RunFileOptions& options) {
  const std::string_view stated = text_or(output, options.predicted, "");
  if (!stated.empty()) {
    return std::string(stated);
  }
  const Json* inferences = find(run, "inferences");
  if (inferences == nullptr || !inferences->is_array() || inferences->get_array().empty()) {
    return "";
  }
  return std::string(text_or(inferences->get_array().back(), "label", ""));
}

Report report_of(const std::vector<Row>& rows, const RunFileOptions& options) {
  Report report;
  for (const Row& row : rows) {
    const std::string status(text_or(row.view, "status", "unknown"));
    report.statuses[status] += 1;
    const Json* output = find(row.view, "output");
    const Json none = nullptr;
    const Json& result = output == nullptr ? none : *output;
    const std::string outcome(status == "waiting" ? outcome_human
                                                  : text_or(result, options.outcome, status));
    report.outcomes[outcome] += 1;
    const std::string predicted = predicted_of(row.view, result, options);
    if (!row.label.empty() && !predicted.empty()) {
      report.labelled += 1;
      const bool right = predicted == row.label;
      report.right += right ? 1 : 0;
      auto& share = report.right_by_outcome[outcome];
      share.first += right ? 1 : 0;
      share.second += 1;
    }
  }
  return report;
}

Json report_json(const Report& report, std::size_t rows, double seconds) {
  JsonObject outcomes;
  for (const auto& [name, count] : report.outcomes) {
    outcomes[name] = count;
  }
  JsonObject statuses;
  for (const auto& [name, count] : report.statuses) {
    statuses[name] = count;
  }
  JsonObject accuracy;
  for (const auto& [name, share] : report.right_by_outcome) {
    accuracy[name] = static_cast<double>(share.first) / static_cast<double>(share.second);
  }
  JsonObject out{{"rows", rows},
                 {"seconds", seconds},
                 {"statuses", std::move(statuses)},
                 {"outcomes", std::move(outcomes)}};
  if (report.labelled > 0) {
    out["labelled"] = report.labelled;
    out["accuracy"] = static_cast<double>(report.right) / static_cast<double>(report.labelled);
    out["accuracy_by_outcome"] = std::move(accuracy);
  }
  return out;
}

void print_report(const Json& report) {
  fmt::print("{} rows in {:.1f} s\n", int_or(report, "rows", 0), number_or(report, "seconds", 0));
  for (const auto& outcome : report.at("outcomes").as_object()) {
    const Json* shares = find(report, "accuracy_by_outcome");
    const Json* share = shares == nullptr ? nullptr : find(*shares, outcome.key());
    const bool asked = outcome.key() == outcome_human;  // nobody has answered there
    fmt::print("  {:<12} {:>8}{}\n", std::string(outcome.key()), to_text(outcome.value()),
               share == nullptr ? ""
                                : fmt::format("   {} {:.4f}",
                                              asked ? "accuracy of the model's unused answers"
                                                    : "accuracy of the answers",
                                              share->to_number<double>()));
  }
  if (find(report, "accuracy") != nullptr) {
    fmt::print("  accuracy {:.4f} over {} labelled rows: of the model where a person is asked\n",
               number_or(report, "accuracy", 0), int_or(report, "labelled", 0));
  }
}

Result<void> run_file(const Session& session, const RunFileOptions& options) {
  auto text = read_file(options.input);
  if (!text.ok()) {
    return std::move(text).error();
  }
  auto table = expr::parse_csv(*text, options.input);
  if (!table.ok()) {
    return std::move(table).error();
  }
  std::optional<std::size_t> label;
  if (!options.label_column.empty()) {
    label = table->column(options.label_column);
    if (!label) {
      return no_column(options, *table, options.label_column);
    }
  }
  auto cells = cells_of(*table, options);
  if (!cells.ok()) {
    return std::move(cells).error();
  }
  Interrupt interrupt;
  auto client = connect(session.target, Runs::advance);
  if (!client.ok()) {
    return std::move(client).error();
  }
  auto trigger = trigger_of(**client, options.workflow);
  if (!trigger.ok()) {
    return std::move(trigger).error();
  }
  (*client)->watch(&interrupt);
  const Instant begin = runtime::system_clock().instant();
  auto rows = send_all(**client, interrupt, *cells, *trigger, label);
  if (!rows.ok()) {
    return std::move(rows).error();
  }
  auto waited = wait_all(**client, interrupt, *trigger, &*rows);
  if (!waited.ok()) {
    return waited;
  }
  const std::chrono::duration<double> took = runtime::system_clock().instant() - begin;
  const Report report = report_of(*rows, options);
  print(session, report_json(report, rows->size(), took.count()), print_report);
  return {};
}

}  // namespace

void add_run_file_command(Command& app, Session& session) {
  auto options = std::make_shared<RunFileOptions>();
  auto* command = app.add_subcommand("run", "Send each row of a CSV file as an event and wait");
  command->add_option("workflow", options->workflow, "Deployed workflow: NAME or NAMESPACE/NAME")
      ->required();
  command->add_option("--input", options->input, "CSV file with a header line")->required();
  command->add_option("--label-column", options->label_column,
                      "Column with the right answer: accuracy is printed");
  command->add_option("--numbers", options->numbers,
                      "Columns whose cells are sent as numbers, with commas between; "
                      "every other cell is sent as text");
  command
      ->add_option("--predicted", options->predicted, "Member of the output that holds the answer")
      ->capture_default_str();
  command->add_option("--outcome", options->outcome, "Member of the output that is counted")
      ->capture_default_str();
  command->callback([&session, options] {
    session.action = [&session, options] { return run_file(session, *options); };
  });
}

}  // namespace aios::app

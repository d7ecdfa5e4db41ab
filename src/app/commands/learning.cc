// SPDX-License-Identifier: Apache-2.0
// What a model learns from people, and how its versions fare.
#include "app/commands.h"
#include "app/model_version.h"
#include "app/page.h"
#include "app/terminal.h"

#include "core/text.h"
#include "expr/csv.h"
#include "net/http.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

struct LearningOptions {
  std::string model;
  std::string other;
  std::string out_of_scope;
  std::vector<std::string> rows;
  double error_max = 0.02;
  double out_of_scope_max = 0.05;
  bool refused = false;
  bool csv = false;
};

std::string path_of(std::string_view name, std::string_view rest) {
  return fmt::format("/api/v1/models/{}{}", net::percent_encode(name), rest);
}

void print_rows(const Json& page, bool refused_only) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& row : page.at("items").as_array()) {
    if (refused_only && text_or(row, "use", "") != "refused") {
      continue;
    }
    const std::string_view accepted = text_or(row, "accepted_by", "");
    rows.push_back({std::string(text_or(row, "id", "")), std::string(text_or(row, "use", "")),
                    std::string(text_or(row, "label", "")), person_name(row, "by"),
                    accepted.empty() ? std::string(text_or(row, "reason", ""))
                                     : fmt::format("accepted by {}", accepted)});
  }
  if (rows.empty()) {
    tell("aios: {}\n", refused_only ? "no correction was refused" : "there are no corrections");
  }
  print_table({"ID", "USE", "LABEL", "BY", "WHY"}, std::move(rows));
}

Result<void> corrections(const Session& session, const LearningOptions& options) {
  const auto named = model_version(options.model, VersionPart::optional);
  if (!named.ok()) {
    return named.error();
  }
  if (named->version == 0) {
    tell("aios: screening the corrections of '{}'; nothing is registered\n", named->name);
  }
  auto page = named->version == 0
                  ? session.call({"POST", path_of(named->name, "/corrections/screen"), nullptr})
                  : session.call({"GET",
                                  path_of(named->name,
                                          fmt::format("/versions/{}/corrections", named->version)),
                                  nullptr});
  if (!page.ok()) {
    return std::move(page).error();
  }
  print(session, *page, [&options](const Json& it) { print_rows(it, options.refused); });
  return {};
}

Result<void> accept(const Session& session, const LearningOptions& options) {
  JsonArray rows(options.rows.begin(), options.rows.end());
  auto answer = session.call({"POST", path_of(options.model, "/corrections/accept"),
                              JsonObject{{"rows", std::move(rows)}}});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, [&options](const Json&) {
    fmt::print("{} accepted; the next 'aios model train {} --with-corrections' learns from them\n",
               options.rows.size(), options.model);
  });
  return {};
}

std::string of_rows(const Json& found, std::string_view right) {
  const auto rows = static_cast<double>(std::max<std::int64_t>(1, int_or(found, "rows", 1)));
  return fmt::format("{:.3f}", static_cast<double>(int_or(found, right, 0)) / rows);
}

void print_comparison(const Json& it) {
  fmt::print("{}@{} against {}@{} on {} held-out rows, {} of them people's\n",
             text_or(it, "model", ""), int_or(it, "challenger", 0), text_or(it, "model", ""),
             int_or(it, "champion", 0), int_or(it, "rows", 0), int_or(it, "people_rows", 0));
  std::vector<std::vector<std::string>> rows;
  const auto add = [&rows](std::string label, const Json& found, std::string verdict) {
    rows.push_back({std::move(label), std::to_string(int_or(found, "rows", 0)),
                    of_rows(found, "champion_right"), of_rows(found, "challenger_right"),
                    std::to_string(int_or(found, "lost", 0)),
                    std::to_string(int_or(found, "won", 0)), std::move(verdict)});
  };
  add("(all)", it, fmt::format("p {:.3f}", number_or(it, "p_worse", 1)));
  for (const Json& found : it.at("classes").as_array()) {
    add(std::string(text_or(found, "label", "")), found,
        std::string(text_or(found, "verdict", "")));
  }
  print_table({"LABEL", "ROWS", "SERVES", "NEW", "LOST", "WON", "VERDICT"}, std::move(rows));
  if (int_or(it, "rows_gone", 0) > 0) {
    fmt::print("{} of people's rows are not there any more\n", int_or(it, "rows_gone", 0));
  }
  for (const std::string& loss : texts_of(find(it, "losses"))) {
    fmt::print("loses: {}\n", loss);
  }
  if (bool_or(it, "passed", false)) {
    fmt::print("does not lose: a second key may promote it\n");
  }
}

Result<void> compare(const Session& session, const LearningOptions& options) {
  const auto one = model_version(options.model, VersionPart::needed);
  if (!one.ok()) {
    return one.error();
  }
  ModelVersion other;
  if (!options.other.empty()) {
    auto given = model_version(options.other, VersionPart::needed);
    if (!given.ok()) {
      return std::move(given).error();
    }
    other = *std::move(given);
    if (other.name != one->name) {
      return Error(Code::invalid_argument,
                   fmt::format("'{}' and '{}' are versions of two models, wanted one",
                               options.model, options.other))
          .page(1407);
    }
  }
  std::string query = fmt::format("/compare?challenger={}", one->version);
  if (other.version != 0) {
    query += fmt::format("&champion={}", other.version);
  }
  auto found = session.call({"GET", path_of(one->name, query), nullptr});
  if (!found.ok()) {
    return std::move(found).error();
  }
  print(session, *found, print_comparison);
  return {};
}

/// The column `text` of a CSV, or else a text a line.
Result<JsonArray> texts_in(const std::string& path) {
  auto file = read_file(path);
  if (!file.ok()) {
    return std::move(file).error();
  }
  JsonArray texts;
  auto table = expr::parse_csv(*file, path);
  const auto column = table.ok() ? table->column("text") : std::nullopt;
  if (column) {
    for (const expr::CsvRow& row : table->rows) {
      texts.emplace_back(row.fields[*column]);
    }
    return texts;
  }
  for (const std::string_view line : split(*file, '\n')) {
    if (!trim(line).empty()) {
      texts.emplace_back(trim(line));
    }
  }
  return texts;
}

std::string share_text(const Json* share) {
  if (share == nullptr || !share->is_object()) {
    return "-";
  }
  return fmt::format("{:.3f} ({:.3f}-{:.3f})", number_or(*share, "share", 0),
                     number_or(*share, "low", 0), number_or(*share, "high", 1));
}

std::string share_cells(const Json* share) {
  if (share == nullptr || !share->is_object()) {
    return ",,";
  }
  return fmt::format("{:.6f},{:.6f},{:.6f}", number_or(*share, "share", 0),
                     number_or(*share, "low", 0), number_or(*share, "high", 1));
}

void print_advice_csv(const Json& it) {
  fmt::print(
      "floor,automatic,automatic_low,automatic_high,errors,errors_low,errors_high,out_of_scope,"
      "out_of_scope_low,out_of_scope_high\n");
  for (const Json& row : it.at("table").as_array()) {
    fmt::print("{:.2f},{},{},{}\n", number_or(row, "floor", 0), share_cells(find(row, "automatic")),
               share_cells(find(row, "errors")), share_cells(find(row, "out_of_scope")));
  }
}

void print_suggestion(std::string_view what, const Json* row) {
  if (row == nullptr || !row->is_object()) {
    fmt::print("{}: no floor does\n", what);
    return;
  }
  const double ceiling = number_or(*row, "novelty_max", 1);
  fmt::print("{}: confidence from {:.2f}{}: automatic {}, errors {}, out of scope {}\n", what,
             number_or(*row, "floor", 0),
             ceiling < 1 ? fmt::format(" and novelty up to {:.2f}", ceiling) : "",
             share_text(find(*row, "automatic")), share_text(find(*row, "errors")),
             share_text(find(*row, "out_of_scope")));
}

void print_advice(const Json& it) {
  fmt::print(
      "{}@{} on {} held-out rows and {} texts out of scope; in brackets the intervals of "
      "95 %\n",
      text_or(it, "model", ""), int_or(it, "version", 0), int_or(it, "rows", 0),
      int_or(it, "out_of_scope", 0));
  std::vector<std::vector<std::string>> rows;
  for (const Json& row : it.at("table").as_array()) {
    rows.push_back({fmt::format("{:.2f}", number_or(row, "floor", 0)),
                    share_text(find(row, "automatic")), share_text(find(row, "errors")),
                    share_text(find(row, "out_of_scope"))});
  }
  print_table({"FLOOR", "AUTOMATIC", "ERRORS", "OUT OF SCOPE"}, std::move(rows));
  print_suggestion(fmt::format("errors up to {} as counted", number_or(it, "error_max", 0)),
                   find(it, "counted"));
  print_suggestion(fmt::format("errors up to {} with 95 %", number_or(it, "error_max", 0)),
                   find(it, "safe"));
}

Result<void> advise(const Session& session, const LearningOptions& options) {
  const auto named = model_version(options.model, VersionPart::optional);
  if (!named.ok()) {
    return named.error();
  }
  JsonObject body{{"error_max", options.error_max}, {"out_of_scope_max", options.out_of_scope_max}};
  if (named->version != 0) {
    body["version"] = named->version;
  }
  if (!options.out_of_scope.empty()) {
    auto texts = texts_in(options.out_of_scope);
    if (!texts.ok()) {
      return std::move(texts).error();
    }
    body["out_of_scope"] = std::move(*texts);
  }
  auto advice = session.call({"POST", path_of(named->name, "/advise"), std::move(body)});
  if (!advice.ok()) {
    return std::move(advice).error();
  }
  print(session, *advice, options.csv ? print_advice_csv : print_advice);
  return {};
}

}  // namespace

void add_learning_commands(Command& model, Session& session) {
  auto options = std::make_shared<LearningOptions>();
  const auto set = [&session, options](Command* command, auto function) {
    command->callback([&session, options, function] {
      session.action = [&session, options, function] { return function(session, *options); };
    });
  };
  auto* rows =
      model.add_subcommand("corrections", "What became, or would become, of people's corrections");
  rows->add_option("model", options->model, "NAME: screen them now; NAME@VERSION: of a version")
      ->required();
  rows->add_flag("--refused", options->refused, "Only the refused ones");
  set(rows, corrections);
  auto* take = model.add_subcommand("accept",
                                    "Learn from refused corrections all the same (by a "
                                    "second key)");
  take->add_option("name", options->model, "Model")->required();
  take->add_option("row", options->rows, "Their ids, cor_...")->required();
  set(take, accept);
  auto* two = model.add_subcommand("compare", "Two versions on the same held-out rows");
  two->add_option("version", options->model, "NAME@VERSION that wants to serve")->required();
  two->add_option("other", options->other,
                  "NAME@VERSION to hold it against; else what served when it was trained");
  set(two, compare);
  auto* floor = model.add_subcommand("advise", "Which floor keeps errors under a wish");
  floor->add_option("model", options->model, "NAME, or NAME@VERSION; else the newest")->required();
  floor->add_option("--error-max", options->error_max, "Wanted share of errors")
      ->capture_default_str();
  floor->add_option("--out-of-scope", options->out_of_scope,
                    "File of texts that are none of the model's business: a line each, or a CSV "
                    "with a column text");
  floor
      ->add_option("--out-of-scope-max", options->out_of_scope_max,
                   "Wanted share of them that is automatic")
      ->capture_default_str();
  floor->add_flag("--csv", options->csv, "The table as CSV");
  set(floor, advise);
}

}  // namespace aios::app

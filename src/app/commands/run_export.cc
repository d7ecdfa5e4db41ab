// SPDX-License-Identifier: Apache-2.0
// aios runs export: outcomes for a spreadsheet or a program, one row a run, page by page.
#include "app/csv.h"
#include "app/detail/run_commands.h"
#include "app/terminal.h"

#include "core/text.h"
#include "core/time.h"
#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>
#include <system_error>

namespace aios::app {
namespace {

constexpr std::size_t page_size = 200;
constexpr std::size_t columns_max = 200;
constexpr std::size_t depth_max = 4;

struct ExportOptions {
  std::string workflow, status, since, until, columns, out;
  std::string format = "csv";
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// The row whole: what every run has, its error's page, who answered, and its output taken apart.
JsonObject row_of(const Json& run) {
  JsonObject row;
  for (const std::string_view name :
       {"id", "workflow", "version", "status", "created", "updated", "starter", "incident"}) {
    row[name] = text_or(run, name, "");
  }
  const auto began = parse_rfc3339(text_or(run, "created", ""));
  const auto ended = parse_rfc3339(text_or(run, "updated", ""));
  row["seconds"] = began.ok() && ended.ok()
                       ? Json(static_cast<double>((*ended - *began).count()) / 1e9)
                       : Json(nullptr);
  const Json* error = find(run, "error");
  row["error_step"] = error == nullptr ? Json("") : Json(text_or(*error, "instance", ""));
  std::string people;
  if (const Json* reviews = find(run, "reviews"); reviews != nullptr && reviews->is_array()) {
    for (const Json& review : reviews->get_array()) {
      people += fmt::format("{}{}", people.empty() ? "" : " ", text_or(review, "by", ""));
    }
  }
  row["person"] = people;
  for (const std::string_view name : {"cost", "output"}) {
    if (const Json* found = find(run, name); found != nullptr) {
      flatten(name, *found, depth_max, &row);
    }
  }
  return row;
}

class Writer {
 public:
  Writer(std::FILE* file, bool csv, std::vector<std::string> columns)
      : file_(file),
        csv_(csv),
        columns_(std::move(columns)),
        chosen_(!columns_.empty()),
        unseen_(columns_.begin(), columns_.end()) {}

  /// The columns of a CSV are those of the first page; what comes later is told of, not written.
  Result<void> write(const std::vector<JsonObject>& rows) {
    if (csv_ && !begun_) {
      choose(rows);
      std::vector<Json> titles(columns_.begin(), columns_.end());
      auto written = put(csv_row(titles));
      if (!written.ok()) {
        return written;
      }
    }
    begun_ = true;
    for (const JsonObject& row : rows) {
      std::erase_if(unseen_, [&](const std::string& column) { return row.contains(column); });
      auto written = put(csv_ ? csv_line(row) : json_line(row));
      if (!written.ok()) {
        return written;
      }
      ++count_;
    }
    return {};
  }
  Result<void> end() {
    auto written = begun_ ? Result<void>() : write({});
    if (written.ok() && std::fflush(file_) != 0) {
      return failed();
    }
    return written;
  }
  std::uint64_t count() const { return count_; }
  const std::set<std::string>& left_out() const { return left_out_; }
  /// Columns that were asked for and no row had.
  const std::set<std::string>& unseen() const { return unseen_; }

 private:
  void choose(const std::vector<JsonObject>& rows) {
    if (chosen_) {
      return;
    }
    std::set<std::string> known;
    for (const JsonObject& row : rows) {
      for (const auto& member : row) {
        if (columns_.size() < columns_max && known.emplace(member.key()).second) {
          columns_.emplace_back(member.key());
        }
      }
    }
    if (columns_.empty()) {
      columns_ = {"id", "workflow", "version", "status", "created", "updated"};
    }
  }
  std::string csv_line(const JsonObject& row) {
    std::vector<Json> cells;
    for (const std::string& column : columns_) {
      const Json* found = row.if_contains(column);
      cells.push_back(found == nullptr ? Json(nullptr) : *found);
    }
    if (!chosen_ && left_out_.size() < columns_max) {
      for (const auto& member : row) {
        if (std::find(columns_.begin(), columns_.end(), member.key()) == columns_.end()) {
          left_out_.emplace(member.key());
        }
      }
    }
    return csv_row(cells);
  }
  std::string json_line(const JsonObject& row) const {
    JsonObject line;
    for (const std::string& column : columns_) {
      const Json* found = row.if_contains(column);
      line[column] = found == nullptr ? Json(nullptr) : *found;
    }
    return to_text(chosen_ ? Json(std::move(line)) : Json(row)) + "\n";
  }
  Result<void> put(const std::string& text) const {
    return std::fwrite(text.data(), 1, text.size(), file_) == text.size() ? Result<void>()
                                                                          : failed();
  }
  static Error failed() {
    return Error(Code::resource_exhausted,
                 fmt::format("cannot write the export: {}", std::generic_category().message(errno)))
        .page(1403);
  }

  std::FILE* file_;
  bool csv_;
  std::vector<std::string> columns_;
  bool chosen_;  ///< by the user
  bool begun_ = false;
  std::uint64_t count_ = 0;
  std::set<std::string> left_out_;
  std::set<std::string> unseen_;
};

/// By the time a run began.
bool is_between(const Json& run, const std::string& since, const std::string& until) {
  const auto created = parse_rfc3339(text_or(run, "created", ""));
  const auto from = parse_rfc3339(since);
  const auto to = parse_rfc3339(until);
  return created.ok() && (!from.ok() || *created >= *from) && (!to.ok() || *created < *to);
}

Result<void> write_pages(const Session& session, const ExportOptions& options,
                         const std::string& workflow, Writer& writer) {
  auto since = time_given("--since", options.since);
  auto until = time_given("--until", options.until);
  if (!since.ok() || !until.ok()) {
    return since.ok() ? std::move(until).error() : std::move(since).error();
  }
  std::string after;
  do {
    auto page = session.call(
        {"GET",
         fmt::format("/api/v1/runs?limit={}&after={}&status={}&workflow={}", page_size,
                     net::percent_encode(after), options.status, net::percent_encode(workflow)),
         nullptr});
    if (!page.ok()) {
      return std::move(page).error();
    }
    std::vector<JsonObject> rows;
    for (const Json& run : page->at("items").as_array()) {
      if (is_between(run, *since, *until)) {
        rows.push_back(row_of(run));
      }
    }
    if (!rows.empty()) {
      auto written = writer.write(rows);
      if (!written.ok()) {
        return written;
      }
    }
    after = text_or(*page, "next", "");
  } while (!after.empty());
  return writer.end();
}

Result<void> export_runs(const Session& session, const ExportOptions& options) {
  auto workflow = whole_workflow_name(session, options.workflow);
  if (!workflow.ok()) {
    return std::move(workflow).error();
  }
  std::unique_ptr<std::FILE, CloseFile> file;
  if (!options.out.empty()) {
    file.reset(std::fopen(options.out.c_str(), "wxe"));
    if (!file) {
      return Error(Code::permission_denied, fmt::format("cannot make {}: {}", options.out,
                                                        std::generic_category().message(errno)))
          .page(1403);
    }
  }
  std::vector<std::string> columns;
  for (const auto column : split(options.columns, ',')) {
    if (!column.empty()) {
      columns.emplace_back(column);
    }
  }
  Writer writer(file ? file.get() : stdout, options.format == "csv", std::move(columns));
  auto written = write_pages(session, options, *workflow, writer);
  if (!written.ok()) {
    return written;
  }
  tell("{} {} exported\n", writer.count(), writer.count() == 1 ? "run" : "runs");
  if (!writer.unseen().empty() && writer.count() > 0) {
    tell("no run has: {}\n", shown_text(fmt::format("{}", fmt::join(writer.unseen(), ", "))));
  }
  if (!writer.left_out().empty()) {
    tell("not written, for the first page did not have them: {}; name all with --columns\n",
         shown_text(fmt::format("{}", fmt::join(writer.left_out(), ", "))));
  }
  return {};
}

}  // namespace

void add_run_export(Command& runs, Session& session) {
  auto options = std::make_shared<ExportOptions>();
  auto* command = runs.add_subcommand(
      "export", "Outcomes as CSV or lines of JSON, one row a run, oldest first");
  command->add_option("--workflow", options->workflow, "Only of this one: NAME or NAMESPACE/NAME");
  command->add_option("--status", options->status, "Only these, such as completed")
      ->one_of({"running", "waiting", "completed", "faulted", "cancelled"});
  command->add_option("--since", options->since, "Begun since: a time, or 30m, 2h, 3d ago");
  command->add_option("--until", options->until, "Begun before");
  command->add_option("--format", options->format, "csv or jsonl")->one_of({"csv", "jsonl"});
  command->add_option("--columns", options->columns,
                      "Which, in order: id,status,output.action; without: all of the first page");
  command->add_option("--out", options->out, "Write into this new file, not to stdout");
  command->callback([&session, options] {
    session.action = [&session, options] { return export_runs(session, *options); };
  });
}

}  // namespace aios::app

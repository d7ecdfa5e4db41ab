// SPDX-License-Identifier: Apache-2.0
// reference: the pages of docs/guide/reference, printed from what the program itself is made of:
// the functions and tasks a workflow can use, the server's settings, the members of policy inputs,
// and the metrics. Each part is a JSON value first; the page is that value as Markdown.
#include "app/develop.h"
#include "app/settings.h"
#include "core/text.h"
#include "govern/policy_input.h"
#include "observe/metric_table.h"
#include "workflow/function.h"
#include "workflow/task_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aios::app {
namespace {

/// For a cell of a table: no line break, no bar.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += ' ';
    } else {
      out += c == '|' ? "\\|" : std::string(1, c);
    }
  }
  return out;
}

std::string coded(std::string_view text) {
  return text.empty() ? "" : fmt::format("`{}`", cell(text));
}

/// Rows of objects as a table; of a member that is code the column's name begins with '`'.
std::string table(const Json& rows,
                  const std::vector<std::pair<std::string, std::string>>& columns) {
  std::string out = "|";
  std::string line = "|";
  for (const auto& [title, member] : columns) {
    out += fmt::format(" {} |", title.starts_with('`') ? title.substr(1) : title);
    line += "---|";
  }
  out += "\n" + line + "\n";
  for (const Json& row : rows.as_array()) {
    out += "|";
    for (const auto& [title, member] : columns) {
      const std::string_view value = text_or(row, member, "");
      const std::string shown = title.starts_with('`') ? coded(value) : cell(value);
      out += shown.empty() ? " |" : fmt::format(" {} |", shown);
    }
    out += "\n";
  }
  return out;
}

std::string head(std::string_view title, std::string_view part) {
  return fmt::format(
      "# {}\n\nPrinted by `aios reference {}` from the program itself; after a "
      "change `./dev reference` writes this page anew.\n",
      title, part);
}

// ------------------------------------------------------------------------------------- functions

std::string type_text(const Json& schema) {
  const Json* type = find(schema, "type");
  if (type == nullptr) {
    return "any";
  }
  return type->is_array() ? join(texts_of(type), " or ") : std::string(view(type->as_string()));
}

/// {name, type, needed, meaning} of each member of a schema of objects.
JsonArray members_of(const Json& schema) {
  JsonArray out;
  const std::vector<std::string> needed = texts_of(find(schema, "required"));
  const Json* properties = find(schema, "properties");
  for (const auto& member : properties == nullptr ? JsonObject() : properties->as_object()) {
    const bool is_needed = std::find(needed.begin(), needed.end(), member.key()) != needed.end();
    out.push_back(JsonObject{{"name", member.key()},
                             {"type", type_text(member.value())},
                             {"needed", is_needed ? "yes" : ""},
                             {"meaning", text_or(member.value(), "description", "")}});
  }
  return out;
}

Json functions_json() {
  workflow::FunctionRegistry functions;
  workflow::register_all_functions(functions);
  JsonArray rows;
  for (const auto& entry : functions.entries()) {
    const Json arguments = *parse_json(entry.arguments_schema);
    const Json result = *parse_json(entry.result_schema);
    rows.push_back(JsonObject{{"name", entry.name},
                              {"version", entry.version},
                              {"call", fmt::format("{}:{}@default", entry.name, entry.version)},
                              {"summary", entry.summary},
                              {"arguments", members_of(arguments)},
                              {"result", members_of(result)},
                              {"result_note", text_or(result, "description", "")},
                              {"arguments_schema", arguments},
                              {"result_schema", result}});
  }
  workflow::TaskRegistry tasks;
  workflow::register_all_tasks(tasks);
  JsonArray kinds;
  for (const auto& kind : tasks.kinds()) {
    JsonArray members(kind.members.begin(), kind.members.end());
    kinds.push_back(JsonObject{
        {"keyword", kind.keyword}, {"summary", kind.summary}, {"members", std::move(members)}});
  }
  return JsonObject{{"functions", std::move(rows)}, {"tasks", std::move(kinds)}};
}

std::string functions_page(const Json& all) {
  std::string out = head("Functions and tasks", "functions");
  out +=
      "\nA workflow calls a function with `call: NAME:VERSION@default` and gives the arguments "
      "in `with`.\nAn argument that may be a string besides takes an expression, `${ ... }`.\n";
  for (const Json& one : all.at("functions").as_array()) {
    out +=
        fmt::format("\n## `{}`\n\n{}\n\n", text_or(one, "call", ""), text_or(one, "summary", ""));
    out += table(
        one.at("arguments"),
        {{"`argument", "name"}, {"type", "type"}, {"needed", "needed"}, {"meaning", "meaning"}});
    if (!one.at("result").as_array().empty()) {
      out += "\n" + table(one.at("result"), {{"`output", "name"}, {"meaning", "meaning"}});
    }
    if (const auto note = text_or(one, "result_note", ""); !note.empty()) {
      out += fmt::format("\nOutput: {}\n", note);
    }
  }
  out += "\n## Tasks\n\n| task | own members | what it does |\n|---|---|---|\n";
  for (const Json& kind : all.at("tasks").as_array()) {
    out += fmt::format("| `{}` | `{}` | {} |\n", text_or(kind, "keyword", ""),
                       join(texts_of(find(kind, "members")), "`, `"),
                       cell(text_or(kind, "summary", "")));
  }
  return out;
}

// --------------------------------------------------------------------------------- configuration

Json configuration_json() {
  JsonArray rows;
  for (const Setting& setting : server_settings()) {
    rows.push_back(JsonObject{{"name", setting.name},
                              {"flag", setting.flag()},
                              {"environment", setting.environment()},
                              {"default", setting.fallback},
                              {"help", setting.help}});
  }
  return JsonObject{{"settings", std::move(rows)}};
}

std::string configuration_page(const Json& all) {
  std::string out = head("Server configuration", "configuration");
  out +=
      "\nEach setting has one name in three places; a flag of `aios serve` wins over the "
      "environment, that over\n`server.yaml`, that over the default. A dot is a level of the "
      "file. `aios config --explain` says what is\nset, and where; [running a server]"
      "(../running.md) what to choose.\n\n";
  out += table(all.at("settings"), {{"`in server.yaml", "name"},
                                    {"`flag", "flag"},
                                    {"`environment", "environment"},
                                    {"`default", "default"},
                                    {"meaning", "help"}});
  return out;
}

// --------------------------------------------------------------------------------- policy inputs

JsonArray members_json(std::span<const govern::InputMember> members) {
  JsonArray rows;
  for (const auto& member : members) {
    rows.push_back(JsonObject{{"member", member.path},
                              {"type", member.type},
                              {"when", member.when},
                              {"meaning", member.meaning}});
  }
  return rows;
}

Json inputs_json() {
  JsonArray points;
  for (const govern::GuardPoint point : govern::guard_points) {
    points.push_back(JsonObject{{"point", govern::name_of(point)},
                                {"run", govern::has_run(point)},
                                {"members", members_json(govern::input_of(point))}});
  }
  return JsonObject{{"common", members_json(govern::common_input())},
                    {"points", std::move(points)},
                    {"run", members_json(govern::run_input())}};
}

std::string inputs_page(const Json& all) {
  const std::vector<std::pair<std::string, std::string>> columns = {
      {"`member", "member"}, {"type", "type"}, {"not always", "when"}, {"meaning", "meaning"}};
  std::string out = head("Policy inputs", "policy-inputs");
  out +=
      "\nWhat `input` holds where a policy is asked; [what a policy may say](../policy-inputs.md) "
      "is on a page of its own.\nA type that ends in `?` may be null; `object*` may be empty, "
      "and then has none of its members; `[]` is each\nentry of a list.\n";
  out += "\n## Always\n\n" + table(all.at("common"), columns);
  for (const Json& point : all.at("points").as_array()) {
    const bool has_run = point.at("run").as_bool();
    out += fmt::format("\n## `{}`\n\n{}", text_or(point, "point", ""),
                       has_run ? "And [`run`](#run).\n\n" : "");
    out += table(point.at("members"), columns);
  }
  out += "\n## run\n\n" + table(all.at("run"), columns);
  return out;
}

// --------------------------------------------------------------------------------------- metrics

Json metrics_json() {
  JsonArray rows;
  for (const observe::MetricRow& row : observe::all_metrics()) {
    JsonArray labels;
    std::string text;
    for (const observe::MetricLabel& label : row.labels) {
      if (!label.name.empty()) {
        labels.push_back(JsonObject{{"name", label.name}, {"values", label.values}});
        text += fmt::format("{}`{}`: {}", text.empty() ? "" : "; ", label.name, label.values);
      }
    }
    rows.push_back(JsonObject{{"name", row.name},
                              {"type", observe::name_of(row.type)},
                              {"unit", row.unit},
                              {"help", row.help},
                              {"labels", std::move(labels)},
                              {"labels_text", text}});
  }
  return JsonObject{{"metrics", std::move(rows)}};
}

std::string metrics_page(const Json& all) {
  std::string out = head("Metrics", "metrics");
  out +=
      "\n`GET /metrics` gives them as OpenMetrics or Prometheus text. A counter's samples are "
      "named `..._total`, a\nhistogram's `..._bucket`, `..._count` and `..._sum`. After 200 "
      "series of one metric further label values are\ncounted as `other`. "
      "`operations/alerts.yaml` holds alerts over them.\n\n";
  out += table(all.at("metrics"), {{"`metric", "name"},
                                   {"type", "type"},
                                   {"unit", "unit"},
                                   {"labels", "labels_text"},
                                   {"meaning", "help"}});
  return out;
}

// --------------------------------------------------------------------------------------- command

struct Part {
  std::string_view name;
  Json (*json)();
  std::string (*markdown)(const Json& all);
};
constexpr std::array parts = {Part{"functions", functions_json, functions_page},
                              Part{"configuration", configuration_json, configuration_page},
                              Part{"policy-inputs", inputs_json, inputs_page},
                              Part{"metrics", metrics_json, metrics_page}};

Result<void> print_parts(const Session& session, const std::string& wanted) {
  JsonObject all;
  std::string pages;
  for (const Part& part : parts) {
    if (wanted.empty() || part.name == wanted) {
      Json value = part.json();
      pages += (pages.empty() ? "" : "\n") + part.markdown(value);
      all[part.name] = std::move(value);
    }
  }
  if (session.json) {
    fmt::print("{}\n", to_text(wanted.empty() ? Json(std::move(all)) : all.at(wanted)));
  } else {
    fmt::print("{}", pages);
  }
  return {};
}

}  // namespace

void add_reference_command(Command& app, Session& session) {
  auto wanted = std::make_shared<std::string>();
  auto* command = app.add_subcommand(
      "reference", "Print what workflows, settings, policies and metrics there are (Markdown)");
  std::vector<std::string> names;
  for (const Part& part : parts) {
    names.emplace_back(part.name);
  }
  command->add_option("part", *wanted, join(names, ", ") + "; without one: all of them")
      ->one_of(names);
  command->callback([&session, wanted] {
    session.action = [&session, wanted] { return print_parts(session, *wanted); };
  });
}

}  // namespace aios::app

// SPDX-License-Identifier: Apache-2.0
#include "app/plan_text.h"

#include "app/terminal.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace aios::app {
namespace {

constexpr std::size_t value_characters_max = 200;

std::string sign_of(std::string_view change) {
  return change == "add" ? "+" : change == "remove" ? "-" : "~";
}

std::string value_text(const Json& value) { return excerpt(to_text(value), value_characters_max); }

std::string part_line(const Json& one) {
  const std::string_view from = text_or(one, "from", "");
  const std::string_view to = text_or(one, "to", "");
  const std::string_view note = text_or(one, "note", "");
  std::string line = fmt::format("{} {} {}", sign_of(text_or(one, "change", "")),
                                 text_or(one, "part", ""), text_or(one, "name", ""));
  if (!from.empty() && !to.empty()) {
    line += fmt::format(" {} -> {}", from, to);
  } else if (!from.empty() || !to.empty()) {
    line += fmt::format(" {}{}", from, to);
  }
  return note.empty() ? line : fmt::format("{}: {}", line, note);
}

std::string parameter_line(const Json& one) {
  const Json& from = one.at("from");
  const Json& to = one.at("to");
  const std::string_view name = text_or(one, "name", "");
  if (from.is_null()) {
    return fmt::format("+ parameter {}: {}", name, value_text(to));
  }
  if (to.is_null()) {
    return fmt::format("- parameter {}: {}", name, value_text(from));
  }
  return fmt::format("~ parameter {}: {} -> {}", name, value_text(from), value_text(to));
}

std::string runs_line(const Json& one) {
  const auto count = int_or(one, "count", 0);
  return fmt::format("= {}{} run{} of {} under way keep{} version {}", count,
                     bool_or(one, "more", false) ? " or more" : "", count == 1 ? "" : "s",
                     text_or(one, "workflow", ""), count == 1 ? "s" : "",
                     text_or(one, "version", ""));
}

void add_lines(const Json& plan, std::string_view member, std::string (*line_of)(const Json&),
               std::vector<std::string>* lines) {
  const Json* list = find(plan, member);
  if (list == nullptr || !list->is_array()) {
    return;
  }
  for (const Json& one : list->get_array()) {
    lines->push_back(line_of(one));
  }
}

std::size_t count_of(const std::vector<std::string>& lines, char sign) {
  return static_cast<std::size_t>(
      std::count_if(lines.begin(), lines.end(),
                    [sign](const std::string& line) { return line.front() == sign; }));
}

}  // namespace

std::vector<std::string> plan_lines(const Json& plan) {
  std::vector<std::string> lines;
  add_lines(plan, "changes", part_line, &lines);
  add_lines(plan, "parameters", parameter_line, &lines);
  add_lines(plan, "runs", runs_line, &lines);
  return lines;
}

void print_changes(const Json& plan) {
  for (const std::string& line : plan_lines(plan)) {
    fmt::print("{}\n", line);
  }
}

void print_plan(const Json& plan) {
  const Json* from = find(plan, "from");
  const std::string digest(text_or(plan, "digest", "").substr(0, 12));
  if (!bool_or(plan, "changed", true) && from != nullptr) {
    fmt::print("nothing changes: {} {} runs already as deployment {}, digest {}\n",
               text_or(plan, "name", ""), text_or(plan, "version", ""), int_or(*from, "number", 0),
               digest);
    return;
  }
  const bool first = from == nullptr || from->is_null();
  fmt::print(
      "{} {}, digest {}; {}\n", text_or(plan, "name", ""), text_or(plan, "version", ""), digest,
      first ? std::string("nothing runs yet")
            : fmt::format("now runs {}, digest {}, as deployment {}", text_or(*from, "version", ""),
                          text_or(*from, "digest", "").substr(0, 12), int_or(*from, "number", 0)));
  print_changes(plan);
  const std::vector<std::string> lines = plan_lines(plan);
  fmt::print("{} to add, {} to change, {} to remove; nothing was changed\n", count_of(lines, '+'),
             count_of(lines, '~'), count_of(lines, '-'));
}

void tell_warnings(const Json& answer) {
  for (const std::string& warning : texts_of(find(answer, "warnings"))) {
    tell("warning: {}\n", warning);
  }
}

void print_deployment(const Json& it) {
  if (const Json* plan = find(it, "plan"); plan != nullptr) {
    print_changes(*plan);
  }
  fmt::print("{} {} {} as deployment {}, digest {}\n", text_or(it, "name", ""),
             text_or(it, "version", ""), bool_or(it, "changed", true) ? "deployed" : "runs already",
             int_or(it, "number", 0), text_or(it, "digest", "").substr(0, 12));
  tell_warnings(it);
}

}  // namespace aios::app

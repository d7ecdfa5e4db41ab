// SPDX-License-Identifier: Apache-2.0
// doctor: what an operator should know of a server before it hurts. Fails when something is bad, so
// that a timer can run it.
#include "app/commands.h"
#include "app/help.h"
#include "app/terminal.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

constexpr int page_bad = 1462;
constexpr std::size_t indent = 18;

void print_finding(const Json& finding, std::size_t columns) {
  const std::string found = shown_text(std::string(text_or(finding, "found", "")));
  fmt::print("{:<6} {:<10} {}\n", text_or(finding, "health", ""), text_or(finding, "part", ""),
             wrapped(found, columns, indent));
  if (const auto next = text_or(finding, "next", ""); !next.empty()) {
    fmt::print("{:{}}-> {}\n", "", indent,
               wrapped(shown_text(std::string(next)), columns, indent + 3));
  }
}

Result<void> doctor(const Session& session) {
  auto report = session.call({"GET", "/api/v1/operate/doctor", nullptr});
  if (!report.ok()) {
    return std::move(report).error();
  }
  const std::size_t known = terminal_columns();
  std::size_t bad = 0;
  for (const Json& finding : report->at("findings").as_array()) {
    bad += text_or(finding, "health", "") == "bad" ? 1 : 0;
    if (!session.json) {
      print_finding(finding, known == 0 ? 80 : known);
    }
  }
  if (session.json) {
    fmt::print("{}\n", to_text(*report));
  }
  if (bad > 0) {
    return Error(Code::failed_precondition,
                 bad == 1 ? std::string("one part is bad") : fmt::format("{} parts are bad", bad))
        .page(page_bad);
  }
  return {};
}

}  // namespace

void add_doctor_command(Command& app, Session& session) {
  auto* command = app.add_subcommand(
      "doctor", "What an operator should know: disk, keys, clock, limits, listener, what waits");
  command->callback([&session] { session.action = [&session] { return doctor(session); }; });
}

}  // namespace aios::app

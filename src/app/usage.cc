// SPDX-License-Identifier: Apache-2.0
#include "app/usage.h"

#include "core/result.h"
#include "core/text.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <utility>
#include <vector>

namespace aios::app {
namespace {

constexpr int page_no_command = 1467;
constexpr int page_not_taken = 1468;
constexpr int page_argument = 1469;

/// The command that the words lead to.
const CLI::App* chosen(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
  }
  return at;
}

std::string whole_name(const CLI::App& at) {
  return at.get_parent() == nullptr ? "aios" : whole_name(*at.get_parent()) + " " + at.get_name();
}

std::vector<std::string> verbs_of(const CLI::App& at) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : at.get_subcommands([](const CLI::App*) { return true; })) {
    verbs.push_back(verb->get_name());
  }
  return verbs;
}

/// Those of `aios` itself too: each command takes them.
std::vector<std::string> options_of(const CLI::App& at) {
  std::vector<std::string> known;
  for (const CLI::App* one = &at; one != nullptr; one = one->get_parent()) {
    for (const CLI::Option* option : one->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        known.push_back("--" + name);
      }
    }
  }
  return known;
}

/// What stands on the line and no option or place takes, in its order; of an option that is nearly
/// one that is known the right name.
std::string stray_words(const CLI::App& app, const CLI::App& at) {
  const auto known = options_of(at);
  std::string text;
  for (const std::string& word : app.remaining(true)) {
    const bool is_option = word.starts_with("--");
    const std::string name = word.substr(0, word.find('='));
    const std::string nearest = is_option ? nearest_name(name, known) : "";
    text += fmt::format("{}{} '{}'{}", text.empty() ? "" : "; ",
                        is_option ? "there is no option" : "nothing takes the word",
                        is_option ? name : word,
                        nearest.empty() ? "" : fmt::format(" (did you mean '{}'?)", nearest));
  }
  return text;
}

/// Also of help that was asked for on a verb that is none.
bool lacks_command(const CLI::Error& problem) {
  return problem.get_name() == "RequiredError" || problem.get_name() == "CallForHelp";
}

/// CLI11 misses the verb before it looks at the word in its place: that word is named here.
std::string no_command(const CLI::App& app, const std::string& command,
                       const std::vector<std::string>& verbs) {
  const std::vector<std::string> unknown = app.remaining(true);
  return unknown.empty() ? fmt::format("'{}' wants a command", command)
                         : fmt::format("'{}' has no command '{}'{}", command, unknown.front(),
                                       did_you_mean(unknown.front(), verbs));
}

/// What it is that was not given; and what was given in its place, as a slip in an option's name
/// looks.
std::string missing(const CLI::App& app, const CLI::App& at, std::string text) {
  for (const CLI::Option* option : at.get_options()) {
    if (text == option->get_name() + " is required") {
      text += ": " + option->get_description();
      break;
    }
  }
  const std::string stray = stray_words(app, at);
  return stray.empty() ? text : fmt::format("{}; {}", text, stray);
}

}  // namespace

bool has_unknown_verb(const CLI::App& app) {
  return !app.remaining(true).empty() && !verbs_of(*chosen(app)).empty();
}

std::string usage_message(const CLI::App* app, const CLI::Error& problem) {
  const CLI::App& at = *chosen(*app);
  const std::string command = whole_name(at);
  const std::vector<std::string> verbs = verbs_of(at);
  std::string text = problem.what();
  const bool no_verb = lacks_command(problem) && !verbs.empty();
  const bool stray =
      !no_verb && problem.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError);
  const int page = no_verb ? page_no_command : stray ? page_not_taken : page_argument;
  std::string more;
  if (no_verb) {
    text = no_command(*app, command, verbs);
    more = fmt::format("Commands: {}\n", fmt::join(verbs, ", "));
  } else if (stray) {
    text = stray_words(*app, at);
  } else if (problem.get_name() == "RequiredError") {
    text = missing(*app, at, std::move(text));
  }
  const Error told = Error(Code::invalid_argument, std::move(text)).page(page);
  return fmt::format("aios: {}\n{}Run '{} --help' for more.\n", told.text(), more, command);
}

}  // namespace aios::app

// SPDX-License-Identifier: Apache-2.0
#include "app/help.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace aios::app {
namespace {

constexpr std::size_t columns_without_terminal = 80;
constexpr std::size_t columns_min = 30;
constexpr std::size_t columns_max = 100;  ///< longer lines are hard to read
constexpr std::size_t columns_for_two = 60;
constexpr std::size_t left_wide = 30;
constexpr std::size_t left_narrow = 6;  ///< the text then begins on a line of its own

/// "TEXT" of "TEXT:{running,waiting}": what may stand there is said in the description.
std::string type_text(const CLI::Option& option) {
  if (option.get_type_size() == 0) {
    return "";
  }
  const std::string whole = option.get_type_name();
  const std::string type = whole.substr(0, whole.find(':'));
  const bool many = option.get_expected_max() == CLI::detail::expected_max_vector_size;
  return (type.empty() ? "" : " " + type) + (many ? " ..." : "") +
         (option.get_required() ? " REQUIRED" : "");
}

std::string notes_text(const CLI::Option& option) {
  std::vector<std::string> notes;
  if (option.get_type_size() != 0 && !option.get_default_str().empty()) {
    notes.push_back("default " + option.get_default_str());
  }
  for (const CLI::Option* other : option.get_needs()) {
    notes.push_back("only with " + other->get_name());
  }
  if (!option.get_envname().empty()) {
    notes.push_back("or " + option.get_envname());
  }
  return notes.empty() ? "" : fmt::format(" ({})", join(notes, "; "));
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string out;
  std::size_t used = indent;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) {
      continue;
    }
    if (used > indent && used + 1 + word.size() > columns) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (used > indent) {
      out += ' ';
      ++used;
    }
    out += word;
    used += word.size();
  }
  return out;
}

HelpText::HelpText(std::size_t columns)
    : columns_(
          std::clamp(columns == 0 ? columns_without_terminal : columns, columns_min, columns_max)),
      left_(columns_ >= columns_for_two ? left_wide : left_narrow) {
  column_width(left_);
}

std::string HelpText::make_description(const CLI::App* app) const {
  return wrapped(app->get_description(), columns_, 0) + "\n";
}

std::string HelpText::make_usage(const CLI::App* app, std::string name) const {
  const std::string usage = CLI::Formatter::make_usage(app, std::move(name));
  return wrapped(trim(usage), columns_, 0) + "\n";
}

std::string HelpText::row(const std::string& name, const std::string& text) const {
  std::string out = "  " + name;
  const bool apart = out.size() + 1 > left_;
  out += apart ? "\n" + std::string(left_, ' ') : std::string(left_ - out.size(), ' ');
  return out + wrapped(text, columns_, left_) + "\n";
}

std::string HelpText::make_option(const CLI::Option* option, bool is_positional) const {
  return row(make_option_name(option, is_positional) + type_text(*option),
             option->get_description() + notes_text(*option));
}

/// A command takes the options of `aios` itself, too, also behind its own.
std::string HelpText::make_footer(const CLI::App* app) const {
  std::string out = CLI::Formatter::make_footer(app);
  if (!out.empty()) {
    out = "\n" + wrapped(trim(out), columns_, 0) + "\n";
  }
  const CLI::App* top = app;
  while (top->get_parent() != nullptr) {
    top = top->get_parent();
  }
  if (top == app) {
    return out;
  }
  out += "\nOptions of every command:\n";
  for (const CLI::Option* option : top->get_options()) {
    const bool hidden = option->get_group().empty();
    if (!hidden && option != top->get_help_ptr() && option != top->get_version_ptr()) {
      out += make_option(option, false);
    }
  }
  return out;
}

std::string HelpText::make_subcommand(const CLI::App* app) const {
  return row(app->get_display_name(true), app->get_description());
}

}  // namespace aios::app

// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.h"

#include "core/text.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace aios::app {

Option* Option::required() {
  option_->required();
  return this;
}

Option* Option::one_of(std::vector<std::string> words) {
  option_->check([words = std::move(words)](const std::string& given) {
    return std::find(words.begin(), words.end(), given) != words.end()
               ? std::string()
               : fmt::format("found '{}', wanted {}{}", excerpt(given, 40), join(words, ", "),
                             did_you_mean(given, words));
  });
  return this;
}

Option* Option::within(std::int64_t least, std::int64_t most) {
  option_->check(CLI::Range(least, most));
  return this;
}

Option* Option::check(std::function<std::string(const std::string&)> refuse) {
  option_->check(std::move(refuse));
  return this;
}

Option* Option::needs(Option* other) {
  option_->needs(other->option_);
  return this;
}

Option* Option::excludes(Option* other) {
  option_->excludes(other->option_);
  return this;
}

Option* Option::envname(const std::string& variable) {
  option_->envname(variable);
  return this;
}

Option* Option::capture_default_str() {
  option_->capture_default_str();
  return this;
}

Option* Option::default_str(const std::string& text) {
  option_->default_str(text);
  return this;
}

Option* Option::hidden() {
  option_->group("");
  return this;
}

std::size_t Option::count() const { return option_->count(); }

Command* Command::add_subcommand(const std::string& name, const std::string& help) {
  verbs_.push_back(std::make_unique<Command>(*app_->add_subcommand(name, help)));
  return verbs_.back().get();
}

Option* Command::keep(CLI::Option* option) {
  options_.push_back(std::make_unique<Option>(*option));
  return options_.back().get();
}

template <typename T>
Option* Command::add_option(const std::string& name, T& value, const std::string& help) {
  return keep(app_->add_option(name, value, help));
}

template Option* Command::add_option(const std::string&, std::string&, const std::string&);
template Option* Command::add_option(const std::string&, std::vector<std::string>&,
                                     const std::string&);
template Option* Command::add_option(const std::string&, double&, const std::string&);
template Option* Command::add_option(const std::string&, std::int32_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::uint32_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::int64_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::uint64_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::optional<std::uint64_t>&,
                                     const std::string&);

Option* Command::add_option_function(const std::string& name,
                                     std::function<void(const std::string&)> take,
                                     const std::string& help) {
  return keep(app_->add_option_function<std::string>(name, take, help));
}

Option* Command::add_flag(const std::string& name, bool& value, const std::string& help) {
  return keep(app_->add_flag(name, value, help));
}

Option* Command::get_option(const std::string& name) { return keep(app_->get_option(name)); }

Command* Command::callback(std::function<void()> chosen) {
  app_->callback(std::move(chosen));
  return this;
}

Command* Command::require_subcommand() {
  app_->require_subcommand(1);
  return this;
}

Command* Command::footer(const std::string& text) {
  app_->footer(text);
  return this;
}

void wrong_use(const std::string& text) { throw CLI::ValidationError(text); }

}  // namespace aios::app

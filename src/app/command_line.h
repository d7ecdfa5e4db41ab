// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/command_line: verbs and options, as far as commands declare them. CLI11 reads the arguments;
// it stands in one source, for its header costs each file that includes it several seconds to
// compile. One thread; what is declared lives as long as the command it was declared on.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace aios::app {

/// A flag, an option with a value, or a word that stands by its place. Calls return this.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  Option* required();
  /// Wrong use with any other word, naming these.
  Option* one_of(std::vector<std::string> words);
  /// Wrong use outside of both bounds.
  Option* within(std::int64_t least, std::int64_t most);
  /// @param refuse  gets the text; what it returns is told, nothing: good.
  Option* check(std::function<std::string(const std::string&)> refuse);
  Option* needs(Option* other);
  Option* excludes(Option* other);
  Option* envname(const std::string& variable);
  /// --help says the value that the variable has now.
  Option* capture_default_str();
  Option* default_str(const std::string& text);
  Option* hidden();           ///< not in --help
  std::size_t count() const;  ///< how often it was given

 private:
  CLI::Option* option_;
};

class Command {
 public:
  /// @param app  outlives this.
  explicit Command(CLI::App& app) : app_(&app) {}

  Command* add_subcommand(const std::string& name, const std::string& help);
  /// @param name   "--name" or, for a word that stands by its place, "name".
  /// @param value  outlives the parsing. T: std::string, a vector of them, double, an integer
  ///               of 32 or 64 bits, std::optional<std::uint64_t>.
  template <typename T>
  Option* add_option(const std::string& name, T& value, const std::string& help);
  Option* add_option_function(const std::string& name, std::function<void(const std::string&)> take,
                              const std::string& help);
  Option* add_flag(const std::string& name, bool& value, const std::string& help);
  /// The option of this command that is named so; there must be one.
  Option* get_option(const std::string& name);
  /// Called after the arguments were read, when this command was chosen; may say wrong_use().
  Command* callback(std::function<void()> chosen);
  /// One of its verbs must follow.
  Command* require_subcommand();
  Command* footer(const std::string& text);

 private:
  Option* keep(CLI::Option* option);

  CLI::App* app_;
  std::vector<std::unique_ptr<Command>> verbs_;
  std::vector<std::unique_ptr<Option>> options_;
};

/// Ends the reading of arguments: `text` is told, with where to find help, and aios ends with 2.
[[noreturn]] void wrong_use(const std::string& text);

}  // namespace aios::app

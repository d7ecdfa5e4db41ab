// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/help: how --help looks: names to the left, what they mean to the right, wrapped on words.

#include <CLI/CLI.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace aios::app {

/// Lines of at most `columns`, broken at blanks; a longer word stands alone. Lines after the first
/// begin with `indent` blanks, which count.
std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent);

class HelpText final : public CLI::Formatter {
 public:
  /// @param columns  of the terminal; 0 when there is none: 80.
  explicit HelpText(std::size_t columns);
  std::string make_description(const CLI::App* app) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* app) const override;
  std::string make_footer(const CLI::App* app) const override;

 private:
  std::string row(const std::string& name, const std::string& text) const;

  std::size_t columns_;
  std::size_t left_;  ///< where the right column begins
};

}  // namespace aios::app

// SPDX-License-Identifier: Apache-2.0
#include "app/help.h"

#include "core/text.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace aios::app {
namespace {

TEST_CASE("help: a text is broken at blanks, and a word that is too long stands alone") {
  CHECK(wrapped("one two three", 9, 0) == "one two\nthree");
  CHECK(wrapped("one two three", 9, 2) == "one two\n  three");
  CHECK(wrapped("one two three", 7, 0) == "one two\nthree");
  CHECK(wrapped("one two three", 6, 0) == "one\ntwo\nthree");
  CHECK(wrapped("a unbreakable b", 5, 0) == "a\nunbreakable\nb");
  CHECK(wrapped("", 10, 3).empty());
}

TEST_CASE("help: no line is wider than the terminal, and no word is lost") {
  const std::string words = "the quick brown fox jumps over the lazy dog and goes on to say more";
  std::string text = "plain";
  std::uint32_t limit = 50;
  for (const std::size_t columns : {30U, 40U, 59U, 60U, 80U, 100U}) {
    CAPTURE(columns);
    CLI::App app(words, "aios");
    app.formatter(std::make_shared<HelpText>(columns));
    app.add_option("--status", text, words)->check(CLI::IsMember({"running", "waiting"}));
    app.add_option("--limit", limit, "1 to 9")->capture_default_str()->envname("AIOS_LIMIT");
    app.add_subcommand("verb", words);
    const std::string help = app.help();
    for (const std::string_view line : split(help, '\n')) {
      CAPTURE(std::string(line));
      CHECK(line.size() <= columns);
    }
    std::string spaced = help;
    std::replace(spaced.begin(), spaced.end(), '\n', ' ');
    const std::string flat = wrapped(spaced, spaced.size(), 0);
    CHECK(flat.find("--status TEXT " + words) != std::string::npos);
    CHECK(flat.find("--limit UINT 1 to 9 (default 50; or AIOS_LIMIT)") != std::string::npos);
    CHECK(flat.find("verb " + words) != std::string::npos);
    CHECK(flat.find(words + " Usage: aios") != std::string::npos);
  }
}

TEST_CASE("help: a command names the options that it takes from its parents") {
  CLI::App app("All", "aios");
  app.formatter(std::make_shared<HelpText>(80));
  std::string server;
  app.add_option("--server", server, "Where")->envname("AIOS_SERVER");
  auto* runs = app.add_subcommand("runs", "Runs");
  auto* list = runs->add_subcommand("list", "List");
  list->footer("Newest first.");
  for (const CLI::App* command : {runs, list}) {
    const std::string help = command->help();
    const std::size_t at = help.find("Options of every command:\n");
    REQUIRE(at != std::string::npos);
    CHECK(help.find("--server TEXT", at) != std::string::npos);
    CHECK(help.find("--help", at) == std::string::npos);
  }
  CHECK(list->help().find("Newest first.") != std::string::npos);
  CHECK(app.help().find("Options of every command") == std::string::npos);
}

TEST_CASE("help: without a terminal it is 80 wide, on a huge one 100") {
  const std::string words =
      "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
      "sixteen seventeen eighteen nineteen twenty twentyone";
  const auto widest = [&](std::size_t columns) {
    CLI::App app(words, "aios");
    app.formatter(std::make_shared<HelpText>(columns));
    std::size_t most = 0;
    const std::string help = app.help();
    for (const std::string_view line : split(help, '\n')) {
      most = std::max(most, line.size());
    }
    return most;
  };
  CHECK(widest(0) == widest(80));
  CHECK(widest(0) <= 80);
  CHECK(widest(300) == widest(100));
  CHECK(widest(300) > 80);
}

}  // namespace
}  // namespace aios::app

// SPDX-License-Identifier: Apache-2.0
#include "expr/detail/yaml_mistake.h"

#include "core/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace aios::expr::detail {
namespace {

constexpr std::string_view blanks = " \t";

/// How far a line is indented; nothing for one that holds no more than a comment.
std::optional<std::size_t> indentation(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  return first == std::string_view::npos || line[first] == '#' ? std::nullopt
                                                               : std::optional(first);
}

std::string spaces(std::size_t count) {
  return fmt::format("{} space{}", count, count == 1 ? "" : "s");
}

/// Whether a name stands in the line, and what stands behind its colon.
struct Named {
  bool found = false;
  std::string_view value;
};
Named name_in(std::string_view line) {
  for (std::size_t at = line.find(':'); at != std::string_view::npos; at = line.find(':', at + 1)) {
    if (at + 1 == line.size() || line[at + 1] == ' ' || line[at + 1] == '\r') {
      return {true, trim(line.substr(at + 1))};
    }
  }
  return {};
}

class Mistaken {
 public:
  Mistaken(std::string_view text, Position mark) : lines_(split(text, '\n')), mark_(mark) {}

  YamlMistake explain(std::string_view said) const {
    if (mark_.line == 0 || mark_.line > lines_.size()) {
      return {mark_, std::string(said)};
    }
    if (auto tab = tabbed()) {
      return std::move(*tab);
    }
    if (said == "illegal map value") {
      return misplaced_colon();
    }
    if (said == "end of map not found" || said == "end of sequence not found") {
      return misplaced_line();
    }
    if (said == "end of map flow not found" || said == "end of sequence flow not found") {
      const bool map = said.find("map") != std::string_view::npos;
      return {mark_, fmt::format("the '{}' above is not closed before this; wanted '{}'",
                                 map ? '{' : '[', map ? '}' : ']')};
    }
    if (said == "unknown token") {
      return {mark_, fmt::format("found '{}', with which no plain text begins; wanted quotes "
                                 "around the text",
                                 excerpt(character_at_mark(), 1))};
    }
    return {mark_, std::string(said)};
  }

 private:
  std::string_view line(std::uint32_t number) const { return lines_[number - 1]; }
  /// Whole, where columns are characters.
  std::string_view character_at_mark() const {
    const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    std::string_view rest = line(mark_.line);
    for (std::uint32_t column = 1; column < mark_.column && !rest.empty(); ++column) {
      rest.remove_prefix(1);
      rest.remove_prefix(
          static_cast<std::size_t>(std::find_if(rest.begin(), rest.end(), begins) - rest.begin()));
    }
    std::size_t size = std::min<std::size_t>(rest.size(), 1);
    while (size < rest.size() && !begins(rest[size])) {
      ++size;
    }
    return rest.substr(0, size);
  }

  /// The last line above that holds something; 0: none.
  std::uint32_t before(std::uint32_t number) const {
    do {
      --number;
    } while (number > 0 && !indentation(line(number)));
    return number;
  }

  std::optional<YamlMistake> tabbed() const {
    for (const std::uint32_t number : {mark_.line, before(mark_.line)}) {
      if (number == 0) {
        continue;
      }
      const std::string_view at = line(number);
      const std::size_t end = std::min(at.find_first_not_of(blanks), at.size());
      const std::size_t tab = at.substr(0, end).find('\t');
      if (tab != std::string_view::npos) {
        return YamlMistake{{number, static_cast<std::uint32_t>(tab + 1)},
                           "found a tab in the indentation, wanted spaces: YAML allows no tab "
                           "there"};
      }
    }
    return std::nullopt;
  }

  /// A ':' where no name can end.
  YamlMistake misplaced_colon() const {
    const std::string_view here = line(mark_.line);
    const std::size_t colon = std::min<std::size_t>(mark_.column - 1, here.size());
    if (name_in(here.substr(0, colon)).found) {
      return {mark_, "found a second ': ' in one line, wanted quotes around a text that holds one"};
    }
    const std::uint32_t above = before(mark_.line);
    if (above == 0) {
      return {mark_, "found ':' where no name can be"};
    }
    const auto indent = indentation(here).value_or(0);
    const auto indent_above = indentation(line(above)).value_or(0);
    const Named named = name_in(line(above));
    if (named.found && indent > indent_above) {
      return {{mark_.line, static_cast<std::uint32_t>(indent + 1)},
              fmt::format("found {} of indentation, below line {} ('{}'), which has its "
                          "value already; wanted {}",
                          spaces(indent), above, excerpt(trim(line(above)), 40), indent_above)};
    }
    if (!named.found) {
      return {{above, static_cast<std::uint32_t>(indent_above + 1)},
              fmt::format("found '{}' without ': ', wanted 'name: value'",
                          excerpt(trim(line(above)), 40))};
    }
    return {mark_,
            "found ':' where no name can be; wanted 'name: value', and quotes around a text "
            "that holds ': '"};
  }

  /// A line that belongs to nothing that is open above it.
  YamlMistake misplaced_line() const {
    const std::size_t indent = indentation(line(mark_.line)).value_or(0);
    std::vector<std::size_t> open;  // indentations that a line may have here, from the outside
    for (std::uint32_t number = 1; number < mark_.line; ++number) {
      if (const auto at = indentation(line(number))) {
        while (!open.empty() && open.back() > *at) {
          open.pop_back();
        }
        if (open.empty() || open.back() < *at) {
          open.push_back(*at);
        }
      }
    }
    if (open.empty() || std::find(open.begin(), open.end(), indent) != open.end()) {
      return {mark_,
              "this line does not go on with what stands above: wanted 'name: value' among "
              "names, '- value' in a list"};
    }
    return {{mark_.line, static_cast<std::uint32_t>(indent + 1)},
            fmt::format("found {} of indentation, which no line has that this one could go "
                        "on with; wanted {}",
                        spaces(indent), fmt::join(open, " or "))};
  }

  std::vector<std::string_view> lines_;
  Position mark_;
};

}  // namespace

YamlMistake yaml_mistake(std::string_view text, Position mark, std::string_view said) {
  return Mistaken(text, mark).explain(said);
}

}  // namespace aios::expr::detail

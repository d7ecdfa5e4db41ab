// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/terminal.h"
#include "app/version.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace aios::app {
namespace {

constexpr std::uintmax_t file_bytes_max = std::uintmax_t{64} << 20;

constexpr std::size_t gap = 2;          ///< spaces between two columns
constexpr std::size_t text_least = 12;  ///< free text cut shorter says nothing

/// Code points: what a terminal shows of most scripts.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6U) != 2; }));
}

std::vector<std::size_t> widths_of(const std::vector<std::string>& header,
                                   const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& title : header) {
    widths.push_back(width_of(title));
  }
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  return widths;
}

std::string row_text(const std::vector<std::string>& row, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
    if (i > 0) {
      line.append(gap, ' ');
    }
    line += row[i];
    if (i + 1 < widths.size()) {
      line.append(widths[i] - width_of(row[i]), ' ');
    }
  }
  return line;
}

/// How many columns fit, from the left, the first always; free text shrinks before it goes.
std::size_t fit(std::vector<std::size_t>* widths, std::size_t columns, std::size_t text_column) {
  std::size_t used = widths->front();
  for (std::size_t i = 1; i < widths->size(); ++i) {
    const std::size_t left = columns > used + gap ? columns - used - gap : 0;
    if (i == text_column && (*widths)[i] > left && left >= text_least) {
      (*widths)[i] = left;
    }
    if ((*widths)[i] > left) {
      return i;
    }
    used += gap + (*widths)[i];
  }
  return widths->size();
}

}  // namespace

std::string_view version_text() { return "aios 0.1.0"; }

Result<Json> Session::call(const Call& request) const {
  auto client = connect(target, runs_for(request));
  if (!client.ok()) {
    return std::move(client).error();
  }
  return (*client)->call(request);
}

void print(const Session& session, const Json& answer,
           const std::function<void(const Json&)>& printer) {
  if (session.json) {
    fmt::print("{}\n", shown_json(to_text(answer)));
  } else {
    printer(shown(answer));
  }
}

void print_document(const Session& session, const Json& answer) {
  fmt::print("{}\n", shown_json(session.json ? to_text(answer) : to_pretty_text(answer)));
}

void print_items(const Session& session, const Json& page) {
  if (session.json) {
    fmt::print("{}\n", shown_json(to_text(page)));
    return;
  }
  for (const Json& item : page.at("items").as_array()) {
    fmt::print("{}\n", shown_json(to_text(item)));
  }
}

void add_limit(CLI::App& command, std::uint32_t* limit) {
  command.add_option("--limit", *limit, "At most so many, 1 to 1000")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
}

void print_table(std::vector<std::string> header, std::vector<std::vector<std::string>> rows,
                 std::string_view text_title) {
  for (auto& row : rows) {
    for (std::string& cell : row) {
      cell = excerpt(cell, cell.size());  // on one line
    }
  }
  std::vector<std::size_t> widths = widths_of(header, rows);
  const std::size_t columns = terminal_columns();
  std::vector<std::string> hidden;
  if (columns > 0) {
    const auto text_column = static_cast<std::size_t>(
        std::find(header.begin(), header.end(), text_title) - header.begin());
    const std::size_t shown = fit(&widths, columns, text_column);
    hidden.assign(header.begin() + static_cast<std::ptrdiff_t>(shown), header.end());
    widths.resize(shown);
    for (auto& row : rows) {
      if (text_column < shown && width_of(row[text_column]) > widths[text_column]) {
        row[text_column] = excerpt(row[text_column], widths[text_column] - 3);
      }
    }
  }
  fmt::print("{}\n", row_text(header, widths));
  for (const auto& row : rows) {
    fmt::print("{}\n", row_text(row, widths));
  }
  if (!hidden.empty()) {
    tell("aios: {} columns are too few for: {}; --json shows all\n", columns, join(hidden, ", "));
  }
}

std::string seconds_text(std::string_view time) {
  const std::size_t point = time.find('.');
  return point == std::string_view::npos ? std::string(time)
                                         : std::string(time.substr(0, point)) + "Z";
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::error_code unknown;
  if (!file || std::filesystem::is_directory(path, unknown)) {
    return Error(Code::not_found, fmt::format("cannot read file '{}'", path)).page(1405);
  }
  const auto size = static_cast<std::uintmax_t>(file.tellg());
  if (size > file_bytes_max) {
    return Error(Code::resource_exhausted,
                 fmt::format("file '{}' has {} bytes, at most {} are read", path, size,
                             file_bytes_max))
        .page(1405);
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  file.seekg(0);
  file.read(text.data(), static_cast<std::streamsize>(size));
  return text;
}

}  // namespace aios::app

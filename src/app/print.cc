// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/version.h"

#include "core/text.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace aios::app {
namespace {

constexpr std::uintmax_t file_bytes_max = std::uintmax_t{64} << 20;

/// Columns of the terminal on stdout; 0 when it is none.
std::size_t terminal_columns() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) {
    return 0;
  }
  return size.ws_col;
}

std::string row_text(const std::vector<std::string>& row, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    line += i + 1 == row.size() ? row[i] : fmt::format("{:<{}}  ", row[i], widths[i]);
  }
  return line;
}

}  // namespace

std::string_view version_text() { return "aios 0.1.0"; }

Result<Json> Session::call(const Call& request) const {
  auto client = connect(target);
  if (!client.ok()) {
    return std::move(client).error();
  }
  return (*client)->call(request);
}

void print(const Session& session, const Json& answer,
           const std::function<void(const Json&)>& printer) {
  if (session.json) {
    fmt::print("{}\n", to_text(answer));
  } else {
    printer(answer);
  }
}

void print_table(const std::vector<std::string>& header,
                 const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& title : header) {
    widths.push_back(title.size());
  }
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  const std::size_t columns = terminal_columns();
  const auto put = [&](const std::vector<std::string>& row) {
    std::string line = row_text(row, widths);
    if (columns > 0 && line.size() > columns) {
      line = excerpt(line, columns > 3 ? columns - 3 : columns);
    }
    fmt::print("{}\n", line);
  };
  put(header);
  for (const auto& row : rows) {
    put(row);
  }
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

// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/table.h"
#include "app/terminal.h"
#include "app/version.h"

#include "core/text.h"
#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace aios::app {
namespace {

constexpr std::uintmax_t file_bytes_max = std::uintmax_t{64} << 20;

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

void add_page(CLI::App& command, PageOptions* page) {
  command.add_option("--limit", page->limit, "At most so many, 1 to 1000")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--after", page->after, "Go on behind this ID");
}

std::string page_query(const PageOptions& page) {
  return fmt::format("limit={}&after={}", page.limit, net::percent_encode(page.after));
}

void tell_more(const Json& page) {
  const std::string_view next = text_or(page, "next", "");
  if (!next.empty()) {
    tell("aios: {} shown, more: --after {}\n", page.at("items").as_array().size(), next);
  }
}

void print_table(std::vector<std::string> header, std::vector<std::vector<std::string>> rows,
                 std::string_view text_title) {
  const std::size_t columns = terminal_columns();
  const TableText table = table_text({std::move(header), std::move(rows), text_title}, columns);
  fmt::print("{}", table.text);
  if (!table.hidden.empty()) {
    tell("aios: {} columns are too few for: {}; --json shows all\n", columns,
         join(table.hidden, ", "));
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

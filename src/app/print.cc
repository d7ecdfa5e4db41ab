// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/table.h"
#include "app/terminal.h"
#include "app/version.h"

#include "core/broken.h"
#include "core/text.h"
#include "net/http.h"
#include "store/file_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace aios::app {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{64} << 20;

}  // namespace

std::string version_text() { return "aios 0.1.0" + std::string(broken_note()); }

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

void add_page(Command& command, PageOptions* page) {
  command.add_option("--limit", page->limit, "At most so many, 1 to 1000")
      ->within(1, 1000)
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
  const auto refused = [&path](std::string_view why) {
    return Error(Code::not_found, fmt::format("cannot read file '{}': {}", path, why)).page(1405);
  };
  const store::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    return refused(std::strerror(errno));
  }
  if (!store::is_regular(file.get())) {
    return refused("it is no regular file");
  }
  std::string text;
  std::string part(std::size_t{64} << 10, '\0');
  for (;;) {
    const ssize_t got = ::read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return refused(std::strerror(errno));
    }
    if (got == 0) {
      return text;
    }
    text.append(part, 0, static_cast<std::size_t>(got));
    if (text.size() > file_bytes_max) {
      return Error(Code::resource_exhausted,
                   fmt::format("file '{}' has more than {} bytes", path, file_bytes_max))
          .page(1405);
    }
  }
}

}  // namespace aios::app

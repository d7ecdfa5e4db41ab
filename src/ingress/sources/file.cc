// SPDX-License-Identifier: Apache-2.0
// ingress/sources/file: files that are dropped in a folder below the server's watch root. The
// folder is looked at once a second: a notice of the kernel (inotify) can be lost, is not given for
// network disks, and says nothing of when a file is whole, so the look would be needed anyway.
#include "ingress/detail/file_watch.h"

#include "core/text.h"
#include "ingress/ingress.h"
#include "ingress/sources.h"

#include <fmt/format.h>

#include <utility>

namespace aios::ingress {
namespace {

constexpr Duration look_again = std::chrono::seconds(1);

constexpr const char* form = R"({
  "required": ["folder", "format"],
  "properties": {
    "folder": {"type": "string"},
    "pattern": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[^/]*$"},
    "format": {"enum": ["csv", "jsonl", "json", "text"]},
    "stable": {"type": "string"},
    "bytes_max": {"type": "integer", "minimum": 1, "maximum": 67108864}
  }
})";

std::shared_ptr<const SourceSettings> read(const Json& own, const Complain& complain) {
  auto settings = std::make_shared<FileSettings>();
  settings->folder = text_or(own, "folder", "");
  if (!DropFolder::is_inside(settings->folder)) {
    complain("/folder", fmt::format("'folder' is '{}', wanted a path relative to the server's "
                                    "--watch-root, without '..' and hidden parts",
                                    excerpt(settings->folder, 100)));
  }
  settings->pattern = text_or(own, "pattern", "*");
  const auto format = text_or(own, "format", "");
  settings->format = format == "csv"     ? FileFormat::csv
                     : format == "jsonl" ? FileFormat::jsonl
                     : format == "text"  ? FileFormat::text
                                         : FileFormat::json;
  if (const auto text = text_or(own, "stable", ""); !text.empty()) {
    auto parsed = parse_iso_duration(text);
    if (parsed.ok() && *parsed >= Duration(0) && *parsed <= std::chrono::hours(1)) {
      settings->stable = *parsed;
    } else {
      complain("/stable", fmt::format("'stable' is '{}', wanted a duration from PT0S to PT1H",
                                      excerpt(text, 40)));
    }
  }
  settings->bytes_max = static_cast<std::size_t>(
      int_or(own, "bytes_max", static_cast<std::int64_t>(settings->bytes_max)));
  return settings;
}

Result<void> ready(const DeclaredSource& source, const std::string& watch_root) {
  if (watch_root.empty()) {
    return no_watch_root();
  }
  const auto& settings = static_cast<const FileSettings&>(*source.settings);
  auto folder = DropFolder::open(watch_root_of(source, watch_root), settings.folder);
  return folder.ok() ? folder->can_move() : Result<void>(std::move(folder).error());
}

Task<void> run(SourceServices services, Context ctx) {
  FileWatch watch(std::move(services));
  while (!ctx.cancelled()) {
    const auto round = co_await watch.round(ctx);
    if (round.more) {
      continue;
    }
    auto rested = co_await runtime::sleep_for(ctx, look_again);
    if (!rested.ok()) {
      break;
    }
  }
}

}  // namespace

void register_source_file(SourceRegistry& registry) {
  registry.add({.name = "file",
                .summary = "Files dropped in a folder: one event a file, or one a line.",
                .form = form,
                .source_prefix = "/files/",
                .read = read,
                .ready = ready,
                .run = run});
}

}  // namespace aios::ingress

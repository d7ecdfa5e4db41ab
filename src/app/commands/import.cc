// SPDX-License-Identifier: Apache-2.0
// connector import: a manifest out of an OpenAPI document.
#include "app/develop.h"
#include "app/private_file.h"
#include "app/templates.h"
#include "app/terminal.h"

#include "bundle/bundle.h"
#include "bundle/openapi.h"
#include "core/text.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

namespace aios::app {
namespace {

struct ImportOptions {
  std::string file;
  std::string name;
  std::string operations;
  std::string bundle = ".";
};

std::vector<std::string> names_in(std::string_view list) {
  std::vector<std::string> names;
  for (const std::string_view one : split(list, ',')) {
    if (const std::string_view name = trim(one); !name.empty()) {
      names.emplace_back(name);
    }
  }
  return names;
}

Result<std::string> write_manifest(const ImportOptions& options, const std::string& manifest) {
  const std::string folder = fmt::format("{}/connectors/{}", options.bundle, options.name);
  const std::string path = folder + "/connector.yaml";
  std::error_code failed;
  if (std::filesystem::exists(std::filesystem::symlink_status(path, failed))) {
    return Error(
               Code::already_exists,
               fmt::format("'{}' is there already: remove it first, or take another --name", path))
        .page(1429);
  }
  std::filesystem::create_directories(folder, failed);
  if (failed) {
    return Error(Code::permission_denied,
                 fmt::format("cannot write {}: {}", folder, failed.message()))
        .page(1403);
  }
  auto written = write_private_file(path, manifest);
  if (!written.ok()) {
    return std::move(written).error();
  }
  return path;
}

void tell_needs(const std::string& name, const std::vector<std::string>& secrets) {
  tell("aios: for aios.yaml: needs: {{connectors: [{}], secrets: [{}]}}\n", name,
       join(secrets, ", "));
}

Result<void> import(const Session& session, const ImportOptions& options) {
  if (auto fits = check_new_name("connector", options.name); !fits.ok()) {
    return fits;
  }
  if (auto there = bundle::read_bundle_directory(options.bundle); !there.ok()) {
    return std::move(there).error();
  }
  auto text = read_file(options.file);
  if (!text.ok()) {
    return std::move(text).error();
  }
  auto made =
      bundle::connector_from_openapi(*text, std::filesystem::path(options.file).filename().string(),
                                     {options.name, names_in(options.operations)});
  if (!made.ok()) {
    return std::move(made).error();
  }
  auto path = write_manifest(options, made->manifest);
  if (!path.ok()) {
    return std::move(path).error();
  }
  for (const std::string& note : made->notes) {
    tell("note: {}\n", shown_text(note));
  }
  const Json answer =
      JsonObject{{"file", *path},
                 {"name", options.name},
                 {"operations", JsonArray(made->operations.begin(), made->operations.end())},
                 {"secrets", JsonArray(made->secrets.begin(), made->secrets.end())},
                 {"notes", JsonArray(made->notes.begin(), made->notes.end())}};
  print(session, answer, [&](const Json& it) {
    fmt::print("made {} with {} operation{}: {}\n", text_or(it, "file", ""),
               made->operations.size(), made->operations.size() == 1 ? "" : "s",
               join(texts_of(find(it, "operations")), ", "));
  });
  tell_needs(options.name, made->secrets);
  return {};
}

}  // namespace

void add_connector_commands(Command& app, Session& session) {
  auto options = std::make_shared<ImportOptions>();
  auto* connector =
      app.add_subcommand("connector", "Connectors to business systems")->require_subcommand();
  auto* command =
      connector->add_subcommand("import", "Make a connector out of an OpenAPI 3.0 or 3.1 document");
  command->add_option("file", options->file, "The document, YAML or JSON")->required();
  command->add_option("--name", options->name, "Name of the connector")->required();
  command->add_option("--operations", options->operations,
                      "Names of those to take, with commas between; without: all");
  command->add_option("--out", options->bundle, "The bundle it is for")->capture_default_str();
  command->footer(
      "What the document says and a connector cannot do is told, and stands in the file.");
  command->callback([&session, options] {
    session.action = [&session, options] { return import(session, *options); };
  });
}

}  // namespace aios::app

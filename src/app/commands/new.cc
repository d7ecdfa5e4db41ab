// SPDX-License-Identifier: Apache-2.0
// new: a bundle to begin with, that checks, tests and deploys as it is.
#include "app/commands.h"
#include "app/templates.h"

#include "core/text.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

struct NewOptions {
  std::string name;
  std::string name_of_template = "minimal";
  std::string directory;  ///< empty: the name
};

Result<void> make_new(const Session& session, const NewOptions& options) {
  if (auto fits = check_new_name("bundle", options.name); !fits.ok()) {
    return fits;
  }
  const std::string directory = options.directory.empty() ? options.name : options.directory;
  const bundle::Files files = files_of_template(options.name_of_template, options.name);
  if (auto written = write_new_folder(directory, files); !written.ok()) {
    return written;
  }
  JsonArray paths;
  for (const auto& [path, text] : files) {
    paths.emplace_back(path);
  }
  JsonArray commands = {"cd " + directory};
  for (const std::string& command : first_commands(files.at("README.md"))) {
    commands.emplace_back(command);
  }
  const Json made = JsonObject{{"name", options.name},
                               {"directory", directory},
                               {"template", options.name_of_template},
                               {"files", std::move(paths)},
                               {"next", std::move(commands)}};
  print(session, made, [](const Json& it) {
    fmt::print("made {} from the template {}: {} files; README.md says what each is\n",
               text_or(it, "directory", ""), text_or(it, "template", ""),
               it.at("files").as_array().size());
    fmt::print("next:\n");
    for (const std::string& command : texts_of(find(it, "next"))) {
      fmt::print("  {}\n", command);
    }
  });
  return {};
}

}  // namespace

void add_new_command(Command& app, Session& session) {
  auto options = std::make_shared<NewOptions>();
  auto* command = app.add_subcommand("new", "Make a bundle to begin with");
  command
      ->add_option("name", options->name,
                   "Name of the bundle: a-z, 0-9 and '-'; the folder is called so too")
      ->required();
  const auto names = template_names();
  command
      ->add_option("--template", options->name_of_template,
                   "What to begin with: " + join(names, " or "))
      ->one_of(names)
      ->capture_default_str();
  command->add_option("--directory", options->directory, "Folder to make, instead of ./NAME");
  command->callback([&session, options] {
    session.action = [&session, options] { return make_new(session, *options); };
  });
}

}  // namespace aios::app

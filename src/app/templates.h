// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/templates: the bundles that `aios new` makes. Their files stand in app/templates/<name>/ and
// are in the program; "@NAME@" in them is the new bundle's name.

#include "bundle/bundle.h"
#include "core/result.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aios::app {

struct TemplateFile {
  std::string_view name;  ///< of the template
  std::string_view path;  ///< in the bundle
  std::string_view text;
};

/// In the order of their names and paths; they live as long as the program.
std::span<const TemplateFile> template_files();
std::vector<std::string> template_names();

/// Whether a new bundle may be called so: it becomes a folder, a workflow's namespace and a part of
/// event types. invalid_argument [AIOS-1424].
Result<void> check_new_name(std::string_view what, std::string_view name);

/// Every file of a template, for a bundle of that name (which was checked).
bundle::Files files_of_template(std::string_view name_of_template, std::string_view name);

/// The lines of a README's first block of commands.
std::vector<std::string> first_commands(std::string_view readme);

/// Makes the folder with the files in it, whole or not at all: already_exists [AIOS-1423] when
/// there is one that is not empty or a file of that name; what cannot be written [AIOS-1403].
Result<void> write_new_folder(const std::string& directory, const bundle::Files& files);

}  // namespace aios::app

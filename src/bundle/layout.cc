// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/layout.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace aios::bundle {
namespace {

constexpr int page_layout = 1113;

struct Kind {
  std::string_view folder;
  std::string_view ending;
  std::string_view what;
};
constexpr auto kinds = std::to_array<Kind>({
    {"workflows/", ".yaml", "a workflow"},
    {"policies/", ".rego", "a policy"},
    {"models/", ".yaml", "a model"},
    {"connectors/", "/connector.yaml", "a connector"},
    {"forms/", ".json", "a form"},
    {"knowledge/", ".md", "an article"},
    {"sources/", ".yaml", "a source"},
    {"subscriptions/", ".yaml", "a subscription"},
});

/// What a folder's author writes for people.
bool for_people(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name.starts_with("README") || name.starts_with("LICENSE");
}

Error warning(const std::string& file, std::string message) {
  return Error(Code::failed_precondition, std::move(message)).page(page_layout).at(file, 1, 1);
}

}  // namespace

void check_layout(const Bundle& bundle, Checked* checked) {
  for (const auto& [path, text] : bundle.files) {
    for (const Kind& kind : kinds) {
      if (!path.starts_with(kind.folder) || path.ends_with(kind.ending) || for_people(path)) {
        continue;
      }
      checked->warnings.push_back(
          kind.folder == "connectors/"
              ? warning(path,
                        "this file is not read: a connector is "
                        "connectors/<name>/connector.yaml")
              : warning(path, fmt::format("this file is not read: {} in {} has a name that ends "
                                          "in {}",
                                          kind.what, kind.folder, kind.ending)));
    }
  }
}

std::vector<Error> stray_names(const std::string& directory) {
  namespace fs = std::filesystem;
  std::vector<std::string> known = {"aios.yaml", "tests"};
  for (const std::string_view folder : part_folders) {
    known.emplace_back(folder.substr(0, folder.size() - 1));
  }
  std::vector<Error> warnings;
  std::error_code ec;
  for (auto it = fs::directory_iterator(directory, ec); !ec && it != fs::directory_iterator();
       it.increment(ec)) {
    const std::string name = it->path().filename().string();
    const std::string near = nearest_name(name, known);
    if (near.empty() || near == name) {
      continue;
    }
    const bool folder = it->is_directory(ec);
    warnings.push_back(
        warning(folder ? name + "/" : name,
                fmt::format("nothing reads this {}; did you mean '{}{}'?",
                            folder ? "folder" : "file", near, near == "aios.yaml" ? "" : "/")));
  }
  std::sort(warnings.begin(), warnings.end(),
            [](const Error& a, const Error& b) { return a.file() < b.file(); });
  return warnings;
}

}  // namespace aios::bundle

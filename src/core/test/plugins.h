// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/test/plugins: the names that the files of a plug-in folder stand for, for tests that hold a
// registry against its folder.

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

namespace aios::test {

/// The stems of the folder's sources, without tests. @param folder  such as "workflow/functions"
inline std::set<std::string> plugin_files(std::string_view folder) {
  std::set<std::string> stems;
  const auto path = std::filesystem::path(AIOS_SOURCE_DIR) / "src" / folder;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    const std::string stem = entry.path().stem().string();
    if (entry.path().extension() == ".cc" && !stem.ends_with("_test")) {
      stems.insert(stem);
    }
  }
  return stems;
}

}  // namespace aios::test

// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/test/conformance: finds the public conformance data, for tests only: $AIOS_CONFORMANCE_DIR,
// else the folder ../shared/conformance beside the checkout. Absent data gives no files: the test
// says SKIPPED by name.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace aios::test {

inline std::filesystem::path conformance_path(std::string_view name) {
  const char* set = std::getenv("AIOS_CONFORMANCE_DIR");
  std::filesystem::path root = std::filesystem::path(AIOS_SOURCE_DIR) / "../shared/conformance";
  if (set != nullptr) {
    root = set;
  }
  return root / name;
}

inline std::vector<std::filesystem::path> conformance_files(std::string_view folder) {
  std::vector<std::filesystem::path> files;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(conformance_path(folder), absent)) {
    if (entry.is_regular_file()) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Empty when the file is absent.
inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace aios::test

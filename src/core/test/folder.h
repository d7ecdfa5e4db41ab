// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/test/folder: a folder of a test's own, below the system's for temporary files, that goes
// away with the object.

#include <unistd.h>

#include <filesystem>
#include <string>

namespace aios::test {

class Folder {
 public:
  /// Throws std::filesystem::filesystem_error when no folder can be made.
  Folder() {
    const auto beside = std::filesystem::temp_directory_path();
    const std::string stem = "aios-test-" + std::to_string(::getpid()) + "-";
    // create_directory is false where a folder stands already: another object's, or a leftover.
    for (int number = 0; path_.empty(); ++number) {
      const auto path = beside / (stem + std::to_string(number));
      if (std::filesystem::create_directory(path)) {
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
        path_ = path.string();
      }
    }
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string at(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace aios::test

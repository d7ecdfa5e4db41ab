// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/test/root: a folder for files that are dropped.

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace aios::ingress::test {

/// A folder that goes with the test.
struct Root {
  Root() {
    std::string name =
        (std::filesystem::temp_directory_path() / ("aios-drop-" + std::string(6, 'X'))).string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
    std::filesystem::create_directories(path / "in");
  }
  ~Root() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path / name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  bool has(const std::string& name) const { return std::filesystem::exists(path / name); }
  std::filesystem::path path;
};

}  // namespace aios::ingress::test

// SPDX-License-Identifier: Apache-2.0
#include "app/private_file.h"

#include "core/test/folder.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace aios::app {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

int mode_of(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<int>(info.st_mode & 07777) : -1;
}

TEST_CASE("private file: it replaces what was there, for its owner alone, and leaves no part") {
  const aios::test::Folder folder;
  const std::string path = folder.at("key");
  std::ofstream(path) << "old and longer";
  std::ofstream(path + ".tmp") << "of a start that ended early";
  std::filesystem::permissions(path, std::filesystem::perms::all);
  std::filesystem::permissions(path + ".tmp", std::filesystem::perms::all);
  REQUIRE(write_private_file(path, "new\n").ok());
  CHECK(text_of(path) == "new\n");
  CHECK(mode_of(path) == 0600);
  CHECK_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST_CASE("private file: what is of use to this process alone is replaced whole as well") {
  const aios::test::Folder folder;
  const std::string path = folder.at("address");
  std::ofstream(path) << "old and longer";
  std::filesystem::permissions(path, std::filesystem::perms::all);
  REQUIRE(write_passing_file(path, "new\n").ok());
  CHECK(text_of(path) == "new\n");
  CHECK(mode_of(path) == 0600);
  CHECK_FALSE(std::filesystem::exists(path + ".tmp"));
  CHECK(write_passing_file(folder.at("no/such/address"), "new").error().page() == 1403);
}

TEST_CASE("private file: where none can be written, nothing is changed") {
  const aios::test::Folder folder;
  const auto nowhere = write_private_file(folder.at("no/such/key"), "new");
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().page() == 1403);
  const std::string path = folder.at("taken");
  REQUIRE(std::filesystem::create_directory(path));
  std::ofstream(path + "/file") << "mine";
  CHECK(write_private_file(path, "new").error().page() == 1403);
  CHECK(text_of(path + "/file") == "mine");
  CHECK_FALSE(std::filesystem::exists(path + ".tmp"));
}

}  // namespace
}  // namespace aios::app

// SPDX-License-Identifier: Apache-2.0
#include "bundle/bundle.h"
#include "core/test/folder.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>

namespace aios::bundle {
namespace {

void write(const std::string& path, std::string_view text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

TEST_CASE("bundle directory: its files are read, what lies beside them is not") {
  const aios::test::Folder folder;
  write(folder.at("aios.yaml"), "name: x\n");
  write(folder.at("policies/p.rego"), "package p\n");
  write(folder.at("notes/other.txt"), "not ours\n");
  const auto files = read_bundle_directory(folder.at("."));
  REQUIRE(files.ok());
  CHECK(files->size() == 2);
  CHECK(files->at("policies/p.rego") == "package p\n");
}

TEST_CASE("bundle directory: a folder that is not there is said to be absent") {
  const aios::test::Folder folder;
  const auto nowhere = read_bundle_directory(folder.at("nowhere"));
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().message().find("there is no folder") != std::string::npos);
  write(folder.at("file"), "x");
  CHECK(read_bundle_directory(folder.at("file")).error().message().find("is no folder") !=
        std::string::npos);
  const auto empty = read_bundle_directory(folder.at("."));
  CHECK(empty.error().message().find("no aios.yaml") != std::string::npos);
}

TEST_CASE("bundle directory: a link that leads out of it is refused, one that stays is followed") {
  const aios::test::Folder folder;
  write(folder.at("secret.json"), "{}");
  write(folder.at("bundle/aios.yaml"), "name: x\n");
  write(folder.at("bundle/policies/p.rego"), "package p\n");
  std::filesystem::create_symlink("p.rego", folder.at("bundle/policies/q.rego"));
  const auto inside = read_bundle_directory(folder.at("bundle"));
  REQUIRE(inside.ok());
  CHECK(inside->at("policies/q.rego") == "package p\n");
  std::filesystem::create_directories(folder.at("bundle/forms"));
  for (const char* target : {"../../secret.json", "/etc/passwd", "/proc/self/mem"}) {
    std::filesystem::remove(folder.at("bundle/forms/leak.json"));
    std::filesystem::create_symlink(target, folder.at("bundle/forms/leak.json"));
    const auto files = read_bundle_directory(folder.at("bundle"));
    REQUIRE_FALSE(files.ok());
    CHECK(files.error().file() == "forms/leak.json");
    CHECK(files.error().message().find("leads out of the bundle") != std::string::npos);
  }
  std::filesystem::remove(folder.at("bundle/forms/leak.json"));
  std::filesystem::create_symlink("/etc", folder.at("bundle/forms/etc"));
  CHECK_FALSE(read_bundle_directory(folder.at("bundle")).ok());
  std::filesystem::create_directory_symlink(folder.at("bundle"), folder.at("by-link"));
  std::filesystem::remove(folder.at("bundle/forms/etc"));
  CHECK(read_bundle_directory(folder.at("by-link")).ok());
}

TEST_CASE("bundle directory: a FIFO is refused, not waited for") {
  const aios::test::Folder folder;
  write(folder.at("aios.yaml"), "name: x\n");
  std::filesystem::create_directories(folder.at("policies"));
  REQUIRE(::mkfifo(folder.at("policies/p.rego").c_str(), 0600) == 0);
  const auto files = read_bundle_directory(folder.at("."));
  REQUIRE_FALSE(files.ok());
  CHECK(files.error().file() == "policies/p.rego");
}

}  // namespace
}  // namespace aios::bundle

// SPDX-License-Identifier: Apache-2.0
#include "ingress/detail/file_watch.h"

#include "core/text.h"
#include "ingress/test/inbox.h"
#include "ingress/test/root.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace aios::ingress {
namespace {

namespace fs = std::filesystem;
using test::Root;

std::vector<DroppedFile> look(const Root& root, const std::string& pattern = "*") {
  auto folder = DropFolder::open(root.path.string(), "in");
  REQUIRE(folder.ok());
  auto files = folder->look(pattern);
  REQUIRE(files.ok());
  return std::move(*files);
}

}  // namespace

TEST_CASE("drop folder: nothing outside the root is opened, and no link is followed") {
  const Root root;
  fs::create_directory_symlink("/etc", root.path / "etc");
  for (const char* path : {"etc", "..", "in/..", "/etc", "in//x", "", "./in", "in/.hidden"}) {
    CHECK_FALSE(DropFolder::open(root.path.string(), path).ok());
  }
  CHECK(DropFolder::open(root.path.string(), "in").ok());
  fs::create_symlink("/etc/passwd", root.path / "in" / "passwd.csv");
  root.write("in/whole.csv", "a\n1\n");
  root.write("in/half.csv.part", "a\n");
  root.write("in/.hidden.csv", "a\n");
  ::mkfifo((root.path / "in" / "pipe.csv").c_str(), 0600);
  const auto files = look(root, "*.csv");
  REQUIRE(files.size() == 1);
  CHECK(files[0].name == "whole.csv");
}

TEST_CASE("drop folder: a file with a second name, or too large, or changed, is not read") {
  const Root root;
  root.write("secret", "s");
  fs::create_hard_link(root.path / "secret", root.path / "in" / "second.txt");
  root.write("in/large.txt", std::string(100, 'x'));
  auto folder = DropFolder::open(root.path.string(), "in");
  REQUIRE(folder.ok());
  const auto files = look(root);
  REQUIRE(files.size() == 2);
  CHECK(folder->read(files[0], 99).error().page() == 1211);
  CHECK(folder->read(files[0], 100).ok());
  CHECK(folder->read(files[1], 100).error().page() == 1211);
  root.write("in/large.txt", std::string(101, 'x'));
  CHECK(folder->read(files[0], 1'000).error().code() == Code::aborted);
}

TEST_CASE("drop folder: what is moved takes no other's place, and a failed one says why") {
  const Root root;
  auto folder = DropFolder::open(root.path.string(), "in");
  REQUIRE(folder.ok());
  for (const char* text : {"one", "two"}) {
    root.write("in/a.txt", text);
    CHECK(folder->move_done("a.txt").ok());
  }
  CHECK(root.read("in/done/a.txt") == "one");
  CHECK(root.read("in/done/a.txt.1") == "two");
  root.write("in/b.txt", "bad");
  CHECK(folder->move_failed("b.txt", "it is bad").ok());
  CHECK(root.read("in/failed/b.txt") == "bad");
  CHECK(root.read("in/failed/b.txt.error.txt") == "it is bad\n");
  CHECK(look(root).empty());
}

TEST_CASE("drop folder: a name may come as often as it likes") {
  const Root root;
  auto folder = DropFolder::open(root.path.string(), "in");
  REQUIRE(folder.ok());
  constexpr int count = 1'100;
  for (int i = 0; i < count; ++i) {
    root.write("in/a.txt", std::to_string(i));
    REQUIRE(folder->move_done("a.txt").ok());
  }
  std::set<std::string> texts;
  for (const auto& entry : fs::directory_iterator(root.path / "in" / "done")) {
    texts.insert(root.read("in/done/" + entry.path().filename().string()));
  }
  CHECK(texts.size() == count);
}

TEST_CASE("drop folder: where nothing can be moved to is told before a file is there") {
  const Root root;
  auto folder = DropFolder::open(root.path.string(), "in");
  REQUIRE(folder.ok());
  CHECK(folder->can_move().ok());
  fs::create_directory_symlink("/tmp", root.path / "in" / "done");
  REQUIRE_FALSE(folder->can_move().ok());
  CHECK(folder->can_move().error().page() == 1210);
}

TEST_CASE("drop folder: a file with the longest name there can be says why it failed too") {
  const Root root;
  auto folder = DropFolder::open(root.path.string(), "in");
  REQUIRE(folder.ok());
  std::string name;
  while (name.size() + 2 <= 255) {
    name += "\xc3\xa9";
  }
  const std::vector<std::string> names = {name + "1", name + "2"};
  for (const std::string& one : names) {
    root.write("in/" + one, "bad");
    CHECK(folder->move_failed(one, "why " + one.substr(254)).ok());
  }
  root.write("in/" + names[0], "bad again");
  CHECK(folder->move_failed(names[0], "again").ok());
  std::vector<std::string> said;
  for (const auto& entry : std::filesystem::directory_iterator(root.path / "in/failed")) {
    const std::string found = entry.path().filename().string();
    CHECK(is_utf8(found));
    if (found.ends_with(".error.txt")) {
      said.push_back(root.read("in/failed/" + found));
    }
  }
  std::sort(said.begin(), said.end());
  CHECK(said == std::vector<std::string>{"again\n", "why 1\n", "why 2\n"});
}

TEST_CASE("files: records by format, and a file that is not in it has none") {
  const auto csv = records_of(FileFormat::csv, "n,t\n1,a\n2,\"b,c\"\n", "f");
  REQUIRE(csv.ok());
  CHECK(csv->at(1) == Json(JsonObject{{"n", "2"}, {"t", "b,c"}}));
  CHECK(records_of(FileFormat::jsonl, "{\"n\":1}\n\n2\n", "f")->size() == 2);
  CHECK(records_of(FileFormat::text, "any", "f")->at(0) == Json("any"));
  CHECK(records_of(FileFormat::json, "[1]", "f")->size() == 1);
  const auto bad = records_of(FileFormat::jsonl, "1\n{\n", "f");
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().message().starts_with("line 2"));
  CHECK_FALSE(records_of(FileFormat::csv, "n,t\n1\n", "f").ok());
  CHECK_FALSE(records_of(FileFormat::text, "\xff", "f").ok());
}

}  // namespace aios::ingress

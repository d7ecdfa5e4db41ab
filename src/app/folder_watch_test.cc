// SPDX-License-Identifier: Apache-2.0
#include "app/folder_watch.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace aios::app {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    std::string path = (fs::temp_directory_path() / ("aios-watch-" + std::string(6, 'X'))).string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    root = path;
    write("a.txt", "one");
  }
  ~Folder() { fs::remove_all(root); }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name) << text;
  }
  fs::path root;
};

TEST_CASE("folder watch: a change is told of once, when it has settled") {
  Folder folder;
  FolderWatch watch(folder.root.string());
  watch.know();
  CHECK(!watch.changed());
  folder.write("below/b.txt", "two");
  CHECK(!watch.changed());  // seen first: more may come
  folder.write("below/c.txt", "three");
  CHECK(!watch.changed());
  CHECK(watch.changed());
  CHECK(!watch.changed());
}

TEST_CASE("folder watch: a file that is put in another's place is a change, of equal size too") {
  Folder folder;
  FolderWatch watch(folder.root.string());
  watch.know();
  folder.write(".a.txt.swp", "two");
  CHECK(!watch.changed());
  CHECK(!watch.changed());  // what an editor keeps for itself
  fs::create_directory(folder.root / "data");
  folder.write("data/journal.db", "a server works here");
  CHECK(!watch.changed());
  CHECK(!watch.changed());
  fs::rename(folder.root / ".a.txt.swp", folder.root / "a.txt");
  CHECK(!watch.changed());
  CHECK(watch.changed());
  fs::remove(folder.root / "a.txt");
  CHECK(!watch.changed());
  CHECK(watch.changed());
}

TEST_CASE("folder watch: what is saved after know() counts, and so does a folder that goes") {
  Folder folder;
  FolderWatch watch(folder.root.string());
  watch.know();
  folder.write("b.txt", "saved while the files were read");
  watch.changed();
  CHECK(watch.changed());
  fs::remove_all(folder.root);
  watch.changed();
  CHECK(watch.changed());
  CHECK(!watch.changed());
}

}  // namespace
}  // namespace aios::app

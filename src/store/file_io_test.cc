// SPDX-License-Identifier: Apache-2.0
#include "store/file_io.h"

#include "core/test/conformance.h"
#include "core/test/folder.h"

#include <doctest/doctest.h>

#include <fcntl.h>

#include <cerrno>
#include <string>

namespace aios::store {

TEST_CASE("file io: all bytes are written, and what cannot be is told by errno") {
  const aios::test::Folder folder;
  const std::string path = folder.at("whole");
  const std::string bytes(300'000, 'x');
  {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(file.get() >= 0);
    CHECK(write_all(file.get(), bytes) == 0);
  }
  CHECK(aios::test::read_bytes(path) == bytes);
  const Descriptor unwritable(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  CHECK(write_all(unwritable.get(), bytes) == EBADF);
  const Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  CHECK(write_all(full.get(), bytes) == ENOSPC);
  CHECK(aios::test::read_bytes(path) == bytes);
}

TEST_CASE("file io: a folder is synced, what is none is told by errno") {
  const aios::test::Folder folder;
  CHECK(sync_folder(folder.at(".")) == 0);
  CHECK(sync_folder(folder.at("absent")) == ENOENT);
}

TEST_CASE("file io: a descriptor is closed with its scope, unless it was released") {
  int closed = -1;
  int kept = -1;
  {
    const Descriptor first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Descriptor second(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    closed = first.get();
    kept = second.release();
    CHECK(second.get() == -1);
  }
  CHECK(::fcntl(closed, F_GETFD) == -1);
  CHECK(::fcntl(kept, F_GETFD) >= 0);
  const Descriptor owner(kept);
}

}  // namespace aios::store

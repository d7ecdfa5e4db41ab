// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/files.h"
#include "core/test/folder.h"

#include <doctest/doctest.h>

#include <fstream>

#include <sys/resource.h>
#include <sys/stat.h>

namespace aios::govern::detail {
namespace {

/// No file can be opened while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_CASE("audit files: without a free descriptor a file is unavailable, and worth another try") {
  const aios::test::Folder folder;
  std::ofstream(folder.at("tile")) << "hashes";
  StagedFiles staged;
  Result<std::string> read = std::string();
  Result<void> put;
  {
    const NoDescriptors none;
    read = read_file(folder.at("tile"), 100);
    put = staged.put(folder.at("other"), "bytes");
  }
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().code() == Code::unavailable);
  CHECK(read.error().retry() == Retry::same_call);
  REQUIRE_FALSE(put.ok());
  CHECK(put.error().code() == Code::unavailable);
  CHECK(read_file(folder.at("tile"), 100).value() == "hashes");
}

TEST_CASE("audit files: a FIFO in the place of a file is refused, not waited for") {
  const aios::test::Folder folder;
  REQUIRE(::mkfifo(folder.at("checkpoint").c_str(), 0600) == 0);
  const auto read = read_file(folder.at("checkpoint"), 100);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().message().find("no regular file") != std::string::npos);
}

}  // namespace
}  // namespace aios::govern::detail

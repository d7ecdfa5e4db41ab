// SPDX-License-Identifier: Apache-2.0
#include "app/secret_file.h"

#include "store/file_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace aios::app {

SecretFile::~SecretFile() {
  if (fd_ >= 0) {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
}

Result<void> SecretFile::open(const std::string& path) {
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  path_ = path;
  return fd_ >= 0 ? Result<void>() : failed(errno);
}

Result<void> SecretFile::fill(std::string_view secret) {
  const std::string line = fmt::format("{}\n", secret);
  if (const int number = store::write_all(fd_, line); number != 0) {
    return failed(number);
  }
  if (::fsync(fd_) != 0) {
    return failed(errno);
  }
  ::close(std::exchange(fd_, -1));
  return {};
}

Error SecretFile::failed(int number) const {
  return Error(number == EEXIST ? Code::already_exists : Code::permission_denied,
               fmt::format("cannot write {}: {}", path_, std::strerror(number)))
      .page(1403);
}

}  // namespace aios::app

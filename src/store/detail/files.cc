// SPDX-License-Identifier: Apache-2.0
#include "store/detail/files.h"

#include "core/failpoint.h"
#include "store/file_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace aios::store::detail {

Error file_error(std::string_view doing, const std::string& path, int error_number) {
  if (error_number == ENOSPC || error_number == EDQUOT) {
    return Error(Code::resource_exhausted, fmt::format("the disk is full, {} '{}'", doing, path),
                 Retry::same_call)
        .page(405);
  }
  return Error(Code::unavailable,
               fmt::format("{} '{}': {}", doing, path, std::strerror(error_number)),
               passes(error_number) ? Retry::same_call : Retry::never)
      .page(413);
}

Result<void> make_private_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) {
    return {};
  }
  struct stat status{};
  if (errno != EEXIST || ::stat(path.c_str(), &status) != 0) {
    return file_error("making directory", path, errno);
  }
  if (!S_ISDIR(status.st_mode)) {
    return file_error("making directory", path, ENOTDIR);
  }
  if ((status.st_mode & 0077) != 0 && ::chmod(path.c_str(), 0700) != 0) {
    return file_error("taking others' rights from", path, errno);
  }
  return {};
}

Result<void> refuse_open_to_others(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? Result<void>() : file_error("looking at", path, errno);
  }
  if ((status.st_mode & 0077) != 0) {
    return Error(Code::permission_denied,
                 fmt::format("'{}' has mode {:04o}, wanted 0600", path, status.st_mode & 07777))
        .page(425);
  }
  return {};
}

Result<void> sync_directory(const std::string& path) {
  const int number = sync_folder(path);
  return number == 0 ? Result<void>() : file_error("syncing directory", path, number);
}

Result<void> write_file_durably(const std::string& path, std::string_view bytes) {
  const std::string beside = path + ".new";
  {
    const Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    int number = file.get() < 0 ? errno : write_all(file.get(), bytes);
    if (number == 0 && ::fsync(file.get()) != 0) {
      number = errno;
    }
    if (number != 0) {
      ::unlink(beside.c_str());
      return file_error("writing", beside, number);
    }
  }
  AIOS_FAILPOINT("file.before_rename");
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    return file_error("renaming to", path, errno);
  }
  AIOS_FAILPOINT("file.after_rename");
  const auto slash = path.rfind('/');
  return sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    return file_error("opening", path, errno);
  }
  if (!is_regular(file.get())) {
    return Error(Code::failed_precondition, fmt::format("'{}' is no regular file", path)).page(413);
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > bytes_max) {
    return Error(Code::data_loss,
                 fmt::format("'{}' has {} bytes, at most {} are expected", path, size, bytes_max))
        .page(410);
  }
  std::string out(size, '\0');
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::read(file.get(), out.data() + done, out.size() - done);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return file_error("reading", path, got == 0 ? EIO : errno);
    }
    done += static_cast<std::size_t>(got);
  }
  return out;
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::uint64_t file_bytes(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

namespace {

constexpr std::uint64_t pid_bytes_max = 32;

Error held(const std::string& directory, const std::string& file) {
  auto pid = read_file(file, pid_bytes_max);
  const std::string who = pid.ok() && !pid->empty()
                              ? "process " + *pid
                              : fmt::format("another process, whose file '{}' is gone,", file);
  return Error(Code::unavailable, fmt::format("{} holds '{}'", who, directory)).page(409);
}

}  // namespace

// Some network file systems lock no directories: there the file and the journal's epoch are left.
Result<DirectoryLock> DirectoryLock::take(const std::string& directory) {
  const std::string path = directory + "/lock";
  DirectoryLock lock;
  lock.directory_ =
      std::make_unique<Descriptor>(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.directory_->get() < 0) {
    return file_error("opening", directory, errno);
  }
  if (::flock(lock.directory_->get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return held(directory, path);
  }
  lock.file_ =
      std::make_unique<Descriptor>(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const int file = lock.file_->get();
  if (file < 0) {
    return file_error("opening", path, errno);
  }
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    return held(directory, path);
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, pid.data(), pid.size(), 0) < 0) {
    return file_error("writing", path, errno);
  }
  return lock;
}

}  // namespace aios::store::detail

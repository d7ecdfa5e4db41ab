// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/files.h"

#include "store/file_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace aios::govern::detail {
namespace {

constexpr int kPage = 525;
constexpr std::size_t kSecretBytesMax = 4096;

Error failure(std::string_view doing, const std::string& path, int number) {
  const Code code = number == ENOENT                      ? Code::not_found
                    : number == EACCES || number == EPERM ? Code::permission_denied
                    : number == ENOSPC                    ? Code::resource_exhausted
                    : store::passes(number)               ? Code::unavailable
                                                          : Code::data_loss;
  return Error(code, fmt::format("cannot {} '{}': {}", doing, path, std::strerror(number)),
               number == ENOSPC || store::passes(number) ? Retry::same_call : Retry::never)
      .page(kPage);
}

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Result<void> sync(const std::string& folder) {
  const int number = store::sync_folder(folder);
  return number == 0 ? Result<void>() : failure("sync", folder, number);
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const store::Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) {
    return failure("open", path, errno);
  }
  if (!store::is_regular(fd.get())) {
    return Error(Code::data_loss, fmt::format("'{}' is no regular file", path)).page(kPage);
  }
  std::string bytes;
  std::string part(std::size_t{64} << 10, '\0');
  for (;;) {
    const ssize_t got = ::read(fd.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return failure("read", path, errno);
    }
    if (got == 0) {
      return bytes;
    }
    bytes.append(part, 0, static_cast<std::size_t>(got));
    if (bytes.size() > bytes_max) {
      return Error(Code::data_loss, fmt::format("'{}' is longer than {} bytes", path, bytes_max))
          .page(kPage);
    }
  }
}

StagedFiles::~StagedFiles() {
  for (const Waiting& file : waiting_) {
    ::close(file.fd);
    ::unlink((file.path + ".tmp").c_str());
  }
}

Result<void> StagedFiles::make_folders(const std::string& path) {
  std::error_code ignored;
  if (path.empty() || std::filesystem::is_directory(path, ignored)) {
    return {};
  }
  const std::string parent = folder_of(path);
  if (parent != path) {
    auto made = make_folders(parent);
    if (!made.ok()) {
      return made;
    }
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return failure("make folder", path, errno);
  }
  folders_.insert(parent);
  return {};
}

Result<void> StagedFiles::put(const std::string& path, std::string_view bytes) {
  auto made = make_folders(folder_of(path));
  if (!made.ok()) {
    return made;
  }
  const std::string temporary = path + ".tmp";
  store::Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd.get() < 0) {
    return failure("write", temporary, errno);
  }
  const int number = store::write_all(fd.get(), bytes);
  if (number != 0) {
    ::unlink(temporary.c_str());
    return failure("write", temporary, number);
  }
  folders_.insert(folder_of(path));
  waiting_.push_back({path, fd.release()});
  return {};
}

Result<void> StagedFiles::commit() {
  for (const Waiting& file : waiting_) {
    store::begin_sync(file.fd);
  }
  for (const Waiting& file : waiting_) {
    if (::fsync(file.fd) != 0) {
      return failure("sync", file.path, errno);
    }
  }
  for (const Waiting& file : waiting_) {
    if (::rename((file.path + ".tmp").c_str(), file.path.c_str()) != 0) {
      return failure("rename", file.path, errno);
    }
  }
  for (const Waiting& file : std::exchange(waiting_, {})) {
    ::close(file.fd);
  }
  for (const std::string& folder : std::exchange(folders_, {})) {
    auto synced = sync(folder);
    if (!synced.ok()) {
      return synced;
    }
  }
  return {};
}

Result<void> create_secret_file(const std::string& path, std::string_view bytes) {
  // Written under another name first: a crash must not leave half a key where a whole one is
  // expected.
  const std::string temporary = path + ".tmp";
  ::unlink(temporary.c_str());
  const store::Descriptor fd(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.get() < 0) {
    return failure("make", temporary, errno);
  }
  const int number = store::write_all(fd.get(), bytes);
  if (number != 0 || ::fsync(fd.get()) != 0) {
    return failure("write", temporary, number != 0 ? number : errno);
  }
  const int linked = ::link(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
  ::unlink(temporary.c_str());
  if (linked == EEXIST) {
    return Error(Code::already_exists, fmt::format("'{}' exists", path)).page(kPage);
  }
  return linked != 0 ? failure("make", path, linked) : sync(folder_of(path));
}

Result<std::string> read_secret_file(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    return failure("open", path, errno);
  }
  if ((info.st_mode & 077) != 0) {
    return Error(Code::permission_denied,
                 fmt::format("'{}' has mode {:04o}, wanted 0600", path, info.st_mode & 07777))
        .page(520);
  }
  return read_file(path, kSecretBytesMax);
}

}  // namespace aios::govern::detail

// SPDX-License-Identifier: Apache-2.0
#include "app/private_file.h"

#include "core/failpoint.h"
#include "store/file_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace aios::app {
namespace {

Error cannot_write(const std::string& path, int number) {
  return Error(number == ENOSPC ? Code::resource_exhausted : Code::permission_denied,
               fmt::format("cannot write {}: {}", path, std::generic_category().message(number)))
      .page(1403);
}

enum class Lasting : std::uint8_t { durable, passing };

/// @return errno, 0 for success
int write_part(const std::string& part, std::string_view text, Lasting lasting) {
  ::unlink(part.c_str());  // of one that ended early, perhaps with another mode
  const store::Descriptor file(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) {
    return errno;
  }
  if (const int failed = store::write_all(file.get(), text); failed != 0) {
    return failed;
  }
  return lasting == Lasting::passing || ::fsync(file.get()) == 0 ? 0 : errno;
}

Result<void> write(const std::string& path, std::string_view text, Lasting lasting) {
  const std::string part = path + ".tmp";
  int failed = write_part(part, text, lasting);
  if (failed == 0 && std::rename(part.c_str(), path.c_str()) != 0) {
    failed = errno;
  }
  if (failed != 0) {
    ::unlink(part.c_str());
    return cannot_write(path, failed);
  }
  AIOS_FAILPOINT("private_file.renamed");
  if (lasting == Lasting::passing) {
    return {};
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  failed = store::sync_folder(folder.empty() ? "." : folder);
  return failed == 0 ? Result<void>() : Result<void>(cannot_write(path, failed));
}

}  // namespace

Result<void> write_private_file(const std::string& path, std::string_view text) {
  return write(path, text, Lasting::durable);
}

Result<void> write_passing_file(const std::string& path, std::string_view text) {
  return write(path, text, Lasting::passing);
}

}  // namespace aios::app

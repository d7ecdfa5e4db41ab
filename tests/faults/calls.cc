// SPDX-License-Identifier: Apache-2.0
// The calls of libc that faults.h stands in front of. Each asks the rules first, then does what was
// asked, and records it while nobody else changes anything.
#include "faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

using namespace aios::faults;

// The next definition of the same name: libc's.
#define AIOS_REAL(name) \
  static const auto real = reinterpret_cast<decltype(&::name)>(dlsym(RTLD_NEXT, #name))

namespace {

/// A call that changes something: it fails by a rule, or is made and recorded while nobody else
/// changes anything. @param record_done  called with what it gave, where that is no error
template <class Real, class Record>
auto changed(const char* function, const std::string& place, Real real, Record record_done)
    -> decltype(real()) {
  if (refused(function, place) != 0) {
    return -1;
  }
  const std::scoped_lock lock(order());
  const auto done = real();
  if (done >= 0) {
    record_done(done);
  }
  return done;
}

template <class Real>
int opened(int at, const char* path, int flags, Real real) {
  const std::string place = below(at, path);
  if (place.empty()) {
    const int fd = real();
    forget(fd);
    return fd;
  }
  struct stat found{};
  bool there = false;
  const auto look_and_open = [&] {
    there = ::fstatat(at, path, &found, 0) == 0;
    return real();
  };
  return changed("open", place, look_and_open, [&](int fd) {
    const std::uint32_t handle = remember(fd, place);
    ::fstat(fd, &found);
    record({.kind = Kind::open,
            .handle = handle,
            .a = (there ? 0 : opened_new) | ((flags & O_TRUNC) != 0 ? opened_empty : 0),
            .b = found.st_mode & 0777,
            .path = place});
  });
}

mode_t mode_in(int flags, va_list arguments) {
  const bool given = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return given ? va_arg(arguments, mode_t) : 0;
}

constexpr off_t where_it_stands = -1;

template <class Real>
ssize_t written(int fd, std::string_view data, off_t offset, Real real) {
  const std::uint32_t handle = handle_of(fd);
  if (handle == 0) {
    return real();
  }
  return changed("write", path_of(fd), real, [&](ssize_t done) {
    const off_t at = offset == where_it_stands ? ::lseek(fd, 0, SEEK_CUR) - done : offset;
    if (done > 0) {
      record({.kind = Kind::write,
              .handle = handle,
              .a = static_cast<std::uint64_t>(at),
              .data = data.substr(0, static_cast<std::size_t>(done))});
    }
  });
}

std::string_view bytes(const void* data, std::size_t size) {
  return {static_cast<const char*>(data), size};
}

std::string joined(const iovec* parts, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    out.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  return out;
}

std::uint64_t syncs = 0;  // under order()

/// What was written before the begin is durable once the end is recorded.
template <class Real>
int synced(int fd, Real real) {
  const std::uint32_t handle = handle_of(fd);
  if (handle == 0) {
    return real();
  }
  if (refused("fsync", path_of(fd)) != 0) {
    return -1;
  }
  std::uint64_t mine = 0;
  {
    const std::scoped_lock lock(order());
    mine = ++syncs;
    record({.kind = Kind::sync_begin, .handle = handle, .a = mine});
  }
  const int code = real();
  if (code == 0) {
    const std::scoped_lock lock(order());
    record({.kind = Kind::sync_end, .handle = handle, .a = mine});
  }
  return code;
}

template <class Real>
int sized(const char* function, int fd, Record what, Real real) {
  what.handle = handle_of(fd);
  if (what.handle == 0) {
    return real();
  }
  return changed(function, path_of(fd), real, [&](int) { record(what); });
}

struct Place {
  int at = AT_FDCWD;
  const char* path = nullptr;
};

/// A change of names. One that only one side of is below the folder is recorded as it is; whoever
/// reads the trace finds a path without a name.
template <class Real>
int renamed(const char* function, Kind kind, Place from, Place to, Real real) {
  const std::string source = below(from.at, from.path);
  const std::string target = to.path == nullptr ? "" : below(to.at, to.path);
  if (source.empty() && target.empty()) {
    return real();
  }
  return changed(function, source.empty() ? target : source, real,
                 [&](int) { record({.kind = kind, .path = source, .other = target}); });
}

template <class Real>
int folder_made(Place where, mode_t mode, Real real) {
  const std::string path = below(where.at, where.path);
  if (path.empty()) {
    return real();
  }
  return changed("mkdir", path, real,
                 [&](int) { record({.kind = Kind::mkdir, .b = mode, .path = path}); });
}

std::FILE* stream_opened(const char* path, const char* mode,
                         std::FILE* (*real)(const char*, const char*)) {
  std::FILE* file = nullptr;
  opened(AT_FDCWD, path, std::strchr(mode, 'w') != nullptr ? O_TRUNC : 0, [&] {
    file = real(path, mode);
    return file == nullptr ? -1 : ::fileno(file);
  });
  return file;
}

}  // namespace

extern "C" {

// Where offsets have 64 bits by themselves, these names are other names of the same functions.
static_assert(sizeof(off_t) == sizeof(off64_t));
int open64(const char* path, int flags, ...) __attribute__((alias("open")));
int openat64(int at, const char* path, int flags, ...) __attribute__((alias("openat")));
std::FILE* fopen64(const char* path, const char* mode) __attribute__((alias("fopen")));
ssize_t pread64(int fd, void* data, std::size_t size, off64_t offset)
    __attribute__((alias("pread")));
ssize_t pwrite64(int fd, const void* data, std::size_t size, off64_t offset)
    __attribute__((alias("pwrite")));
int ftruncate64(int fd, off64_t size) noexcept __attribute__((alias("ftruncate")));

int open(const char* path, int flags, ...) {
  AIOS_REAL(open);
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return opened(AT_FDCWD, path, flags, [&] { return real(path, flags, mode); });
}

int openat(int at, const char* path, int flags, ...) {
  AIOS_REAL(openat);
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return opened(at, path, flags, [&] { return real(at, path, flags, mode); });
}

std::FILE* fopen(const char* path, const char* mode) {
  AIOS_REAL(fopen);
  return stream_opened(path, mode, real);
}

int close(int fd) {
  AIOS_REAL(close);
  forget(fd);
  return real(fd);
}

int fclose(std::FILE* file) {
  AIOS_REAL(fclose);
  forget(::fileno(file));
  return real(file);
}

int closedir(DIR* folder) {
  AIOS_REAL(closedir);
  forget(::dirfd(folder));
  return real(folder);
}

int dup(int fd) noexcept {
  AIOS_REAL(dup);
  const int copy = real(fd);
  same_handle(fd, copy);
  return copy;
}

ssize_t read(int fd, void* data, std::size_t size) {
  AIOS_REAL(read);
  if (handle_of(fd) != 0 && refused("read", path_of(fd)) != 0) {
    return -1;
  }
  return real(fd, data, size);
}

ssize_t pread(int fd, void* data, std::size_t size, off_t offset) {
  AIOS_REAL(pread);
  if (handle_of(fd) != 0 && refused("read", path_of(fd)) != 0) {
    return -1;
  }
  return real(fd, data, size, offset);
}

ssize_t write(int fd, const void* data, std::size_t size) {
  AIOS_REAL(write);
  return written(fd, bytes(data, size), where_it_stands, [&] { return real(fd, data, size); });
}

ssize_t writev(int fd, const iovec* parts, int count) {
  AIOS_REAL(writev);
  if (handle_of(fd) == 0) {
    return real(fd, parts, count);
  }
  const std::string data = joined(parts, count);
  return written(fd, data, where_it_stands, [&] { return real(fd, parts, count); });
}

ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset) {
  AIOS_REAL(pwrite);
  return written(fd, bytes(data, size), offset, [&] { return real(fd, data, size, offset); });
}

ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) {
  AIOS_REAL(pwritev);
  if (handle_of(fd) == 0) {
    return real(fd, parts, count, offset);
  }
  const std::string data = joined(parts, count);
  return written(fd, data, offset, [&] { return real(fd, parts, count, offset); });
}

int ftruncate(int fd, off_t size) noexcept {
  AIOS_REAL(ftruncate);
  return sized("ftruncate", fd, {.kind = Kind::truncate, .a = static_cast<std::uint64_t>(size)},
               [&] { return real(fd, size); });
}

int posix_fallocate(int fd, off_t offset, off_t size) {
  AIOS_REAL(posix_fallocate);
  const int code = sized("fallocate", fd,
                         {.kind = Kind::allocate,
                          .a = static_cast<std::uint64_t>(offset),
                          .b = static_cast<std::uint64_t>(size)},
                         [&] {
                           errno = real(fd, offset, size);  // it gives what others leave there
                           return errno == 0 ? 0 : -1;
                         });
  return code == 0 ? 0 : errno;
}

int fsync(int fd) {
  AIOS_REAL(fsync);
  return synced(fd, [&] { return real(fd); });
}

int fdatasync(int fd) {
  AIOS_REAL(fdatasync);
  return synced(fd, [&] { return real(fd); });
}

int rename(const char* from, const char* to) noexcept {
  AIOS_REAL(rename);
  return renamed("rename", Kind::rename, {.path = from}, {.path = to},
                 [&] { return real(from, to); });
}

int renameat(int from_at, const char* from, int to_at, const char* to) noexcept {
  AIOS_REAL(renameat);
  return renamed("rename", Kind::rename, {from_at, from}, {to_at, to},
                 [&] { return real(from_at, from, to_at, to); });
}

int renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) noexcept {
  AIOS_REAL(renameat2);
  return renamed("rename", Kind::rename, {from_at, from}, {to_at, to},
                 [&] { return real(from_at, from, to_at, to, flags); });
}

int link(const char* from, const char* to) noexcept {
  AIOS_REAL(link);
  return renamed("link", Kind::link, {.path = from}, {.path = to}, [&] { return real(from, to); });
}

int linkat(int from_at, const char* from, int to_at, const char* to, int flags) noexcept {
  AIOS_REAL(linkat);
  return renamed("link", Kind::link, {from_at, from}, {to_at, to},
                 [&] { return real(from_at, from, to_at, to, flags); });
}

int unlink(const char* path) noexcept {
  AIOS_REAL(unlink);
  return renamed("unlink", Kind::unlink, {.path = path}, {}, [&] { return real(path); });
}

int unlinkat(int at, const char* path, int flags) noexcept {
  AIOS_REAL(unlinkat);
  return renamed("unlink", (flags & AT_REMOVEDIR) != 0 ? Kind::rmdir : Kind::unlink, {at, path}, {},
                 [&] { return real(at, path, flags); });
}

int rmdir(const char* path) noexcept {
  AIOS_REAL(rmdir);
  return renamed("rmdir", Kind::rmdir, {.path = path}, {}, [&] { return real(path); });
}

int remove(const char* path) noexcept {
  // libc's own would call what is not seen here.
  const int code = ::unlink(path);
  return code != 0 && (errno == EISDIR || errno == EPERM) ? ::rmdir(path) : code;
}

int mkdir(const char* path, mode_t mode) noexcept {
  AIOS_REAL(mkdir);
  return folder_made({.path = path}, mode, [&] { return real(path, mode); });
}

int mkdirat(int at, const char* path, mode_t mode) noexcept {
  AIOS_REAL(mkdirat);
  return folder_made({at, path}, mode, [&] { return real(at, path, mode); });
}

int accept(int fd, sockaddr* address, socklen_t* size) {
  AIOS_REAL(accept);
  if (watching() && refused("accept", "-") != 0) {
    return -1;
  }
  return real(fd, address, size);
}

int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  AIOS_REAL(accept4);
  if (watching() && refused("accept", "-") != 0) {
    return -1;
  }
  return real(fd, address, size, flags);
}

int socket(int domain, int type, int protocol) noexcept {
  AIOS_REAL(socket);
  if (watching() && refused("socket", "-") != 0) {
    return -1;
  }
  return real(domain, type, protocol);
}

}  // extern "C"

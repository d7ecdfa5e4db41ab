// SPDX-License-Identifier: Apache-2.0
// Counts what is synced: fsync and fdatasync of the C library stand behind these, for the libraries
// of this program too.
#include "served.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace aios::bench {
namespace {

struct Counters {
  std::atomic<std::uint64_t> all{0};
  std::atomic<std::uint64_t> journal{0};
};
Counters& counters() {
  static Counters& instance = *new Counters;  // used until the process ends
  return instance;
}

void count_sync(int fd) {
  std::array<char, 4096> path{};
  const ssize_t length =
      ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), path.data(), path.size());
  const std::string_view name(path.data(), length < 0 ? 0 : static_cast<std::size_t>(length));
  counters().all.fetch_add(1, std::memory_order_relaxed);
  if (name.ends_with("/journal.db-wal")) {
    counters().journal.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace

Syncs syncs() {
  return {static_cast<double>(counters().all.load()),
          static_cast<double>(counters().journal.load())};
}

}  // namespace aios::bench

extern "C" int fsync(int fd) {
  aios::bench::count_sync(fd);
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

extern "C" int fdatasync(int fd) {
  aios::bench::count_sync(fd);
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

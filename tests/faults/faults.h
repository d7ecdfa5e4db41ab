// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/faults: a library that is loaded in front of libc (LD_PRELOAD) and watches one folder.
//
// It writes every change to files and names below the folder into a trace beside it, in the order
// in which they took effect, and what was made durable by fsync. From the trace alone
// tests/faults/disk.py tells what a disk without power may hold. And it lets single calls fail, or
// ends the process at one, by rules.
//
//   AIOS_FAULTS_ROOT   the folder, absolute and without symbolic links; without it nothing happens
//   AIOS_FAULTS_TRACE  the trace, outside of the folder; appended to
//   AIOS_FAULTS_RULES  FUNCTION:PATTERN:N:WHAT:once|ever, parted by ";". The N-th call of the
//                      function on a path (below the folder, a shell pattern) fails with WHAT, an
//                      error's name, or ends the process by SIGKILL (CUT); "ever": all after it
//                      too. One that is not so ends the process with 2: it would never be met
//   AIOS_FAULTS_ARMED  a file: the rules count only while it is there; without it always
//   AIOS_FAULTS_CALLS  1: the trace names every call too, also those that change nothing
//
// Without a folder, too (world.cc):
//   AIOS_FAULTS_CLOCK  a file of two numbers of 8 bytes: by how many nanoseconds the wall clock and
//                      the steady one are ahead; whoever writes them sets the clocks at once
//   AIOS_FAULTS_NAMES  a file of lines NAME=ADDRESS|none|hang: what getaddrinfo() says of a name;
//                      one that hangs does so for as long as the file says it
//
// Not seen: what is written through mmap or by stdio's buffers. What that leaves out is found by
// comparing the trace with the real folder after an orderly stop (disk.py, differences()).

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace aios::faults {

enum class Kind : std::uint32_t {
  open = 1,
  write,
  truncate,
  allocate,
  sync_begin,
  sync_end,
  rename,
  link,
  unlink,
  mkdir,
  rmdir,
  call,
};

struct Record {
  Kind kind = Kind::call;
  std::uint32_t handle = 0;
  std::uint64_t a = 0;  // offset, size, bits of an opening
  std::uint64_t b = 0;  // length, mode
  std::string_view path{};
  std::string_view other{};
  std::string_view data{};
};

constexpr std::uint64_t opened_new = 1;
constexpr std::uint64_t opened_empty = 2;

/// Held over a call that changes something and its record: the trace has the order of effects.
std::mutex& order();

/// Whether there is a folder to watch.
bool watching();
/// Below the folder, relative to it ("." is the folder itself); empty: elsewhere.
std::string below(int folder_fd, const char* path);

/// Call with order() held.
void record(const Record& record);
/// A handle for an open file, which it keeps until forget().
std::uint32_t remember(int fd, const std::string& path);
std::uint32_t handle_of(int fd);
void same_handle(int from, int to);
void forget(int fd);
std::string path_of(int fd);

/// 0, or the error with which this call has to fail (errno is set to it).
int refused(std::string_view function, const std::string& path);

}  // namespace aios::faults

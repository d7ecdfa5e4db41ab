// SPDX-License-Identifier: Apache-2.0
#include "core/failpoint.h"

#include "core/last_words.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace aios {
namespace {

/// Of the file of counts: a line for each failpoint, in the order of the list. tests/crash reads
/// it.
struct Line {
  char name[40];
  std::atomic<std::uint64_t> passed;
  std::atomic<std::uint64_t> ended;  ///< processes
  char spare[8];
};
static_assert(sizeof(Line) == 64);
static_assert(std::all_of(failpoints.begin(), failpoints.end(),
                          [](std::string_view name) { return name.size() < sizeof(Line::name); }));

/// A test that names what there is not would pass for ever.
[[noreturn]] void refuse(const std::string& what) {
  last_words("aios: " + what + "\n");
  std::_Exit(2);
}

Line* map_lines(const char* path) {
  constexpr std::size_t bytes = sizeof(Line) * failpoints.size();
  const int file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ::ftruncate(file, bytes) != 0) {
    refuse(std::string("cannot write AIOS_FAILPOINT_COUNTS=") + path);
  }
  void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (at == MAP_FAILED) {
    refuse(std::string("cannot map AIOS_FAILPOINT_COUNTS=") + path);
  }
  auto* lines = static_cast<Line*>(at);
  for (std::size_t i = 0; i < failpoints.size(); ++i) {
    failpoints[i].copy(lines[i].name, sizeof(Line::name) - 1);
  }
  return lines;
}

class Failpoints {
 public:
  Failpoints() {
    if (const char* path = std::getenv("AIOS_FAILPOINT_COUNTS"); path != nullptr && *path != 0) {
      lines_ = map_lines(path);
    }
    if (const char* given = std::getenv("AIOS_FAILPOINT"); given != nullptr && *given != 0) {
      choose(given);
    }
  }

  void pass(std::size_t index) {
    if (lines_ != nullptr) {
      lines_[index].passed.fetch_add(1);
    }
    if (index != chosen_ || passed_.fetch_add(1) + 1 != at_pass_) {
      return;
    }
    if (lines_ != nullptr) {
      lines_[index].ended.fetch_add(1);
    }
    (void)::kill(::getpid(), SIGKILL);
    for (;;) {
      ::pause();  // it has been sent
    }
  }

 private:
  void choose(std::string_view given) {
    const auto name = given.substr(0, given.find(':'));
    const auto found = std::find(failpoints.begin(), failpoints.end(), name);
    if (name.size() != given.size()) {
      const auto number = given.substr(name.size() + 1);
      const auto read = std::from_chars(number.data(), number.data() + number.size(), at_pass_);
      if (read.ec != std::errc() || read.ptr != number.data() + number.size() || at_pass_ == 0) {
        refuse("AIOS_FAILPOINT=" + std::string(given) + " names no pass, wanted NAME:1 or more");
      }
    }
    if (found == failpoints.end()) {
      refuse("AIOS_FAILPOINT=" + std::string(given) + " is no failpoint of this build");
    }
    chosen_ = static_cast<std::size_t>(found - failpoints.begin());
  }

  Line* lines_ = nullptr;
  std::size_t chosen_ = failpoints.size();
  std::uint64_t at_pass_ = 1;
  std::atomic<std::uint64_t> passed_{0};
};

}  // namespace

void pass_failpoint(std::size_t index) noexcept {
  static Failpoints* const all = new Failpoints();
  all->pass(index);
}

}  // namespace aios

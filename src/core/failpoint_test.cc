// SPDX-License-Identifier: Apache-2.0
#include "core/failpoint.h"

#include "core/broken.h"
#include "core/test/folder.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace aios {
namespace {

constexpr std::size_t line_bytes = 64;

/// A process of its own, for what it is told by its environment it is told once.
/// @return its status, of waitpid()
int in_another_process(const char* failpoint, const std::string& counts,
                       const std::vector<std::string_view>& passes) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("AIOS_FAILPOINT", failpoint, 1);
    ::setenv("AIOS_FAILPOINT_COUNTS", counts.c_str(), 1);
    for (const auto name : passes) {
      for (std::size_t i = 0; i < failpoints.size(); ++i) {
        if (failpoints[i] == name) {
          pass_failpoint(i);
        }
      }
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

struct Line {
  std::string name;
  std::uint64_t passed = 0, ended = 0;
};

std::vector<Line> read_counts(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  REQUIRE(bytes.size() == failpoints.size() * line_bytes);
  std::vector<Line> out(failpoints.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char* at = bytes.data() + i * line_bytes;
    out[i].name = at;
    std::memcpy(&out[i].passed, at + 40, sizeof(out[i].passed));
    std::memcpy(&out[i].ended, at + 48, sizeof(out[i].ended));
  }
  return out;
}

}  // namespace

TEST_CASE("failpoint: the process ends at the pass that is named, and the counts outlive it") {
  const aios::test::Folder folder;
  const std::string counts = folder.at("counts");
  const auto name = failpoints[2];
  const int status = in_another_process((std::string(name) + ":3").c_str(), counts,
                                        {name, failpoints[1], name, name, name});
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
  auto lines = read_counts(counts);
  CHECK(lines[2].name == name);
  CHECK(lines[2].passed == 3);
  CHECK(lines[2].ended == 1);
  CHECK(lines[1].passed == 1);
  CHECK(lines[1].ended == 0);

  CHECK(in_another_process("", counts, {name}) == 0);
  lines = read_counts(counts);
  CHECK(lines[2].passed == 4);  // added to what was there
  CHECK(lines[2].ended == 1);
}

TEST_CASE("failpoint: a name that there is not, and a pass that never comes, are refused") {
  const aios::test::Folder folder;
  for (const char* wrong : {"journal.nowhere", "journal.opened:0", "journal.opened:x"}) {
    const int status = in_another_process(wrong, folder.at("counts"), {failpoints[0]});
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 2);
  }
}

TEST_CASE("failpoint: every name fits its line of the counts") {
  for (const auto name : failpoints) {
    CHECK(name.size() < 40);
  }
}

TEST_CASE("broken: this build leaves no check out") {
  CHECK(broken_note().empty());
  for (const auto check : {"fence", "version", "epoch", "key"}) {
    CHECK(std::string_view(AIOS_BREAK) != check);
  }
}

}  // namespace aios

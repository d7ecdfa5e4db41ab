// SPDX-License-Identifier: Apache-2.0
#include "core/last_words.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>

namespace aios {
namespace {

/// Puts a pipe in the place of stderr while it lives.
class Pipe {
 public:
  Pipe() : before_(::dup(STDERR_FILENO)) {
    REQUIRE(::pipe(ends_.data()) == 0);
    REQUIRE(::dup2(ends_[1], STDERR_FILENO) == STDERR_FILENO);
  }
  ~Pipe() {
    ::dup2(before_, STDERR_FILENO);
    for (const int fd : {before_, ends_[0], ends_[1]}) {
      ::close(fd);
    }
  }
  /// Until nothing more goes in.
  void fill() {
    ::fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    const std::string much(4096, 'x');
    while (::write(ends_[1], much.data(), much.size()) > 0) {}
    ::fcntl(ends_[1], F_SETFL, 0);
  }
  std::string read_some() {
    std::string out(100, '\0');
    out.resize(static_cast<std::size_t>(::read(ends_[0], out.data(), out.size())));
    return out;
  }

 private:
  int before_;
  std::array<int, 2> ends_{};
};

}  // namespace

TEST_CASE("last words: who reads gets them") {
  Pipe pipe;
  last_words("that was it\n");
  CHECK(pipe.read_some() == "that was it\n");
}

TEST_CASE("last words: where nobody reads the end comes all the same") {
  Pipe pipe;
  pipe.fill();
  last_words("nobody\n");  // does not hang
  CHECK(pipe.read_some().front() == 'x');
}

}  // namespace aios

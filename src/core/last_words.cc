// SPDX-License-Identifier: Apache-2.0
#include "core/last_words.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

namespace aios {
namespace {

constexpr int patience_ms = 1'000;

}  // namespace

void last_words(std::string_view text) {
  while (!text.empty()) {
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&ready, 1, patience_ms) <= 0 || (ready.revents & POLLOUT) == 0) {
      return;
    }
    // A pipe that is ready takes this many without waiting.
    const std::string_view part = text.substr(0, std::min<std::size_t>(text.size(), PIPE_BUF));
    const ssize_t written = ::write(STDERR_FILENO, part.data(), part.size());
    if (written <= 0) {
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace aios

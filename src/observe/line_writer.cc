// SPDX-License-Identifier: Apache-2.0
#include "observe/line_writer.h"

#include "observe/log.h"

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace aios::observe {
namespace {

constexpr auto last_flush = std::chrono::seconds(1);

/// May wait for ever. @return false: nobody reads, or the disk behind it is full
bool write_all(int fd, std::string_view rest) {
  while (!rest.empty()) {
    const ssize_t written = ::write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EAGAIN) {  // whoever shares the descriptor made it so
      pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);
    } else if (written < 0 && errno != EINTR) {
      return false;
    } else if (written > 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  return true;
}

std::string line_of_dropped(std::uint64_t lines) {
  std::string out;
  const Log log([&out](std::string_view line) { out = std::string(line) + "\n"; });
  log.write(Level::warn, "log", "lines were dropped here: nobody read them in time",
            {{"lines", lines}});
  return out;
}

}  // namespace

struct LineWriter::State {
  State(int fd_in, std::size_t bytes_max_in) : fd(fd_in), bytes_max(bytes_max_in) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { ::close(fd); }

  const int fd;
  const std::size_t bytes_max;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> lines;  ///< the first one is being written
  std::size_t bytes = 0;
  std::uint64_t untold = 0;  ///< dropped behind the last of the lines
  std::uint64_t dropped = 0;
  bool ending = false;

  bool idle() const { return lines.empty() && untold == 0; }
  void push(std::string line) {
    bytes += line.size();
    lines.push_back(std::move(line));
  }
  void drop() {
    ++untold;
    ++dropped;
  }
  void take(std::string line) {
    std::string before = untold > 0 ? line_of_dropped(untold) : "";
    if (bytes + before.size() + line.size() > bytes_max) {
      drop();
      return;
    }
    if (!before.empty()) {
      push(std::move(before));
      untold = 0;
    }
    push(std::move(line));
  }
  void serve() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return ending || !idle(); });
      if (idle()) {
        return;
      }
      if (lines.empty()) {
        push(line_of_dropped(std::exchange(untold, 0)));
      }
      const std::string& line = lines.front();  // others push behind it
      lock.unlock();
      const bool written = write_all(fd, line);
      lock.lock();
      dropped += written ? 0 : 1;
      bytes -= lines.front().size();
      lines.pop_front();
      changed.notify_all();
    }
  }
};

LineWriter::LineWriter(int fd, std::size_t bytes_max)
    : state_(std::make_shared<State>(::fcntl(fd, F_DUPFD_CLOEXEC, 0), bytes_max)) {
  std::thread writing([state = state_] { state->serve(); });
  writing
      .detach();  // tidy: it may hang in a write when the program ends, so nobody can wait for it
}

LineWriter::~LineWriter() {
  flush(last_flush);
  std::lock_guard lock(state_->mutex);
  state_->ending = true;
  state_->changed.notify_all();
}

void LineWriter::write(std::string_view line) {
  std::string whole(line);
  whole.push_back('\n');
  std::lock_guard lock(state_->mutex);
  state_->take(std::move(whole));
  state_->changed.notify_all();
}

bool LineWriter::flush(Duration span) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, span, [this] { return state_->idle(); });
}

std::uint64_t LineWriter::dropped() const {
  std::lock_guard lock(state_->mutex);
  return state_->dropped;
}

}  // namespace aios::observe

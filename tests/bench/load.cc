// SPDX-License-Identifier: Apache-2.0
#include "load.h"

#include "report.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int answer_wait_seconds = 30;
constexpr std::size_t answer_bytes_max = std::size_t{1} << 20;

[[noreturn]] void give_up(std::string_view what) {
  fmt::print(stderr, "bench: {}\n", what);
  std::exit(1);
}

double thread_cpu_us() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

std::uint64_t number_in(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed != std::errc() || end == text.data()) {
    give_up(fmt::format("'{}' is in the place of a number", text.substr(0, 20)));
  }
  return out;
}

/// One socket. It blocks where it writes: a peer that has answered has room for a request.
class Connection {
 public:
  explicit Connection(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int yes = 1;
    const timeval wait{.tv_sec = answer_wait_seconds, .tv_usec = 0};
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      give_up(fmt::format("no connection to port {}", port));
    }
  }
  ~Connection() { ::close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }
  std::string& request() { return request_; }

  /// @param due  what its latency counts from
  void send(Clock::time_point due) {
    began = due;
    used_ = 0;
    whole_ = 0;
    std::string_view rest = request_;
    while (!rest.empty()) {
      const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        give_up("the peer takes no request");
      }
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// Reads what is there: nobody tells of it a second time. @return the status, when the answer is
  /// whole
  std::optional<int> receive() {
    int how = 0;
    for (;;) {
      const std::size_t room = in_.size() - used_;
      const ssize_t got = ::recv(fd_, in_.data() + used_, room, how);
      if (got < 0 && how != 0 && errno == EAGAIN) {
        break;
      }
      if (got <= 0) {
        give_up(
            fmt::format("the peer ended a connection instead of an answer ({} bytes came)", used_));
      }
      used_ += static_cast<std::size_t>(got);
      if (used_ < in_.size() || used_ > answer_bytes_max) {
        break;
      }
      in_.resize(in_.size() * 2);
      how = MSG_DONTWAIT;
    }
    if (whole_ == 0) {
      find_end();
    }
    if (used_ > answer_bytes_max || (whole_ != 0 && used_ > whole_)) {
      give_up("an answer is longer than it says, or than a megabyte");
    }
    return whole_ != 0 && used_ == whole_ ? std::optional(status_) : std::nullopt;
  }
  std::string_view body() const {
    return std::string_view(in_.data(), used_).substr(whole_ - body_bytes_);
  }

  Clock::time_point began;

 private:
  void find_end() {
    constexpr std::string_view status_line = "HTTP/1.1 ";
    constexpr std::string_view length = "\r\ncontent-length: ";
    const std::string_view all(in_.data(), used_);
    const std::size_t end = all.find("\r\n\r\n");
    if (end == std::string_view::npos) {
      return;
    }
    const std::string_view head = all.substr(0, end);
    if (!head.starts_with(status_line)) {
      give_up("an answer is not HTTP/1.1");
    }
    const std::size_t at = head.find(length);  // as aios writes it: the peer is no other
    if (at == std::string_view::npos) {
      give_up("an answer does not say its length");
    }
    status_ = static_cast<int>(number_in(all.substr(status_line.size(), 3)));
    body_bytes_ = number_in(head.substr(at + length.size()));
    whole_ = end + 4 + body_bytes_;
  }

  int fd_;
  std::string request_;
  std::string in_ = std::string(4096, '\0');
  std::size_t used_ = 0;
  std::size_t whole_ = 0;  // 0: not known yet
  std::size_t body_bytes_ = 0;
  int status_ = 0;
};

class Generator {
 public:
  Generator(const LoadOptions& options, Requests& requests)
      : options_(options),
        requests_(requests),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < options.connections; ++i) {
      auto& one = connections_.emplace_back(std::make_unique<Connection>(options.port));
      epoll_event event{};
      event.events = EPOLLIN | EPOLLET;
      event.data.ptr = one.get();
      if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, one->fd(), &event) != 0) {
        give_up("a connection cannot be watched");
      }
    }
  }
  ~Generator() { ::close(epoll_); }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  Load run() {
    const auto begin = Clock::now();
    const double cpu = thread_cpu_us();
    end_ = begin + std::chrono::duration_cast<Clock::duration>(
                       std::chrono::duration<double>(options_.seconds));
    due_ = begin;
    for (auto& one : connections_) {
      idle_.push_back(one.get());
    }
    std::array<epoll_event, 64> events{};
    for (auto pause = send_due(); pause || under_way_ > 0; pause = send_due()) {
      const timespec wait = pause.value_or(timespec{answer_wait_seconds, 0});
      const int ready =
          ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
      if (ready < 0 || (ready == 0 && !pause)) {
        give_up(fmt::format("{} requests have no answer after {} seconds", under_way_,
                            answer_wait_seconds));
      }
      for (int i = 0; i < ready; ++i) {
        take(*static_cast<Connection*>(events.at(static_cast<std::size_t>(i)).data.ptr));
      }
    }
    Load load;
    load.cpu_us = thread_cpu_us() - cpu;
    load.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    load.answered = static_cast<double>(latencies_us_.size());
    load.p99_us = quantile(latencies_us_, 0.99);
    load.p50_us = quantile(std::move(latencies_us_), 0.5);
    return load;
  }

 private:
  /// Sends what is due and has a connection. @return until the next one is due; nothing: only an
  /// answer can bring it, or there is none
  std::optional<timespec> send_due() {
    const auto now = Clock::now();
    while (!idle_.empty() && due_ < end_ && now < end_) {
      if (options_.rate_per_s > 0 && due_ > now) {
        const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(due_ - now);
        return timespec{0, std::min<long>(left.count(), 999'999'999)};
      }
      Connection& one = *idle_.back();
      if (!requests_.next(&one.request())) {
        end_ = now;
        break;
      }
      idle_.pop_back();
      ++under_way_;
      one.send(options_.rate_per_s > 0 ? due_ : now);
      if (options_.rate_per_s > 0) {
        due_ += std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double>(1 / options_.rate_per_s));
      }
    }
    return std::nullopt;
  }

  void take(Connection& one) {
    const auto status = one.receive();
    if (!status) {
      return;
    }
    if (*status != options_.status_wanted) {
      give_up(fmt::format("answered {} where {} is wanted: {}", *status, options_.status_wanted,
                          one.body().substr(0, 400)));
    }
    --under_way_;
    const auto now = Clock::now();
    latencies_us_.push_back(std::chrono::duration<double, std::micro>(now - one.began).count());
    idle_.push_back(&one);
    send_due();
  }

  LoadOptions options_;
  Requests& requests_;
  int epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<double> latencies_us_;
  std::vector<Connection*> idle_;
  std::size_t under_way_ = 0;
  Clock::time_point due_;  // of the next one, where there is a rate
  Clock::time_point end_;
};

}  // namespace

Load send_load(const LoadOptions& options, Requests& requests) {
  return Generator(options, requests).run();
}

HttpAnswer ask(std::uint16_t port, const std::string& request) {
  Connection connection(port);
  connection.request() = request;
  connection.send(Clock::now());
  auto status = connection.receive();
  while (!status) {
    status = connection.receive();
  }
  return {*status, std::string(connection.body())};
}

std::string request_text(const std::string& method, const std::string& path, const std::string& key,
                         const std::string& body) {
  return fmt::format(
      "{} {} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\n"
      "content-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
      method, path, key, body.size(), body);
}

}  // namespace aios::bench

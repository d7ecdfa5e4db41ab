// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/test/peer: a blocking peer over plain sockets, for tests: it shares no code with the
// codec under test except the parser, and can send anything. Every wait ends after five seconds.

#include "net/detail/parser.h"

#include <cstdint>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace aios::net::detail {

class Peer {
 public:
  enum class Body : std::uint8_t { as_told, none };
  /// @param from  last number of the address 127.0.0.x that it comes from
  explicit Peer(std::uint16_t port, std::uint8_t from = 1)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval wait{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl((INADDR_LOOPBACK & ~0xFFU) | from);
    ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  /// Takes over an accepted socket.
  struct Accepted {
    int fd;
  };
  explicit Peer(Accepted accepted) : fd_(accepted.fd), connected_(true) {}
  Peer(Peer&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        connected_(other.connected_),
        waiting_(std::move(other.waiting_)) {}
  Peer& operator=(Peer&&) = delete;
  ~Peer() { close(); }

  bool connected() const { return connected_; }
  void close() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }
  void send(std::string_view bytes) const { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  /// The next answer; status 0 when there is none.
  Response read_answer(Body body = Body::as_told) {
    Parser parser(Parser::Kind::response, {});
    if (body == Body::none) {
      parser.expect_no_body();
    }
    while (parser.state() != Parser::State::done && parser.state() != Parser::State::failed) {
      waiting_.erase(0, parser.consume(waiting_));
      if (parser.state() == Parser::State::body_ready) {
        parser.start_body(std::size_t{1} << 30);
      } else if (parser.state() != Parser::State::done && !receive()) {
        parser.finish();
        break;
      }
    }
    return parser.state() == Parser::State::done
               ? Response{parser.status(), parser.headers(), parser.body()}
               : Response{0, {}, {}};
  }
  /// The peer closed, and nothing is left to read.
  bool at_end() {
    if (!waiting_.empty()) {
      return false;
    }
    char byte = 0;
    const ssize_t got = ::recv(fd_, &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }
  /// Reads until the text has come; what was read stays to be taken by take().
  std::string read_until(std::string_view text) {
    while (waiting_.find(text) == std::string::npos && receive()) {}
    return std::exchange(waiting_, {});
  }

 private:
  bool receive() {
    char bytes[4096];
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got > 0) {
      waiting_.append(bytes, static_cast<std::size_t>(got));
    }
    return got > 0;
  }
  int fd_;
  bool connected_ = false;
  std::string waiting_;
};

}  // namespace aios::net::detail

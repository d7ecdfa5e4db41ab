// SPDX-License-Identifier: Apache-2.0
#include "net/detail/socket.h"

#include "net/detail/asio_util.h"
#include "net/detail/socket_impl.h"

#include <boost/asio/write.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <optional>

#include <sys/socket.h>

namespace aios::net::detail {

namespace {

using boost::asio::io_context;

class Plain final : public Socket::Impl {
 public:
  Plain(io_context& context, Target target)
      : socket_(context),
        asking_(context),
        target_(std::move(target)) {}
  explicit Plain(Tcp::socket socket) : socket_(std::move(socket)), asking_(std::nullopt) {}

  void read(Socket::Operation* operation) override {
    socket_.async_read_some(boost::asio::buffer(operation->data, operation->size),
                            [operation](const boost::system::error_code& error, std::size_t n) {
                              operation->finish(to_result(error, n));
                            });
  }
  void write(Socket::Operation* operation) override {
    const std::array<boost::asio::const_buffer, 2> buffers = {
        boost::asio::buffer(operation->first.data(), operation->first.size()),
        boost::asio::buffer(operation->second.data(), operation->second.size())};
    boost::asio::async_write(socket_, buffers,
                             [operation](const boost::system::error_code& error, std::size_t n) {
                               operation->finish(to_result(error, n));
                             });
  }
  void connect(Socket::Operation* operation) override {
    connect_to(socket_, *asking_, target_, [operation](const boost::system::error_code& error) {
      operation->finish(to_result(error, 0));
    });
  }
  std::size_t write_now(std::string_view first, std::string_view second) override {
    std::array<iovec, 2> parts = {iovec{const_cast<char*>(first.data()), first.size()},
                                  iovec{const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = second.empty() ? 1 : 2;
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;  // errors show up in the async write
  }
  void close() override {
    boost::system::error_code ignored;
    if (asking_) {
      asking_->cancel();
    }
    socket_.close(ignored);
  }
  void close_writing() override {
    boost::system::error_code ignored;
    socket_.shutdown(Tcp::socket::shutdown_send, ignored);
  }
  void close_reading() override {
    boost::system::error_code ignored;
    socket_.shutdown(Tcp::socket::shutdown_receive, ignored);
  }
  bool stale() const override {
    // native_handle() is not const in Asio 1.81.
    return is_stale(const_cast<Tcp::socket&>(socket_).native_handle(), Bytes::refused);
  }
  std::string peer() const override { return peer_name(socket_); }

 private:
  Tcp::socket socket_;
  std::optional<Asking> asking_;
  Target target_;
};

}  // namespace

std::unique_ptr<Socket::Impl> make_plain(void* context, const Target& target) {
  return std::make_unique<Plain>(*static_cast<io_context*>(context), target);
}

bool is_stale(int descriptor, Bytes bytes) {
  char byte = 0;
  const ssize_t got = ::recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0) {
    return errno != EAGAIN && errno != EWOULDBLOCK;
  }
  return got == 0 || bytes == Bytes::refused;
}

bool Socket::Operation::await_ready() {
  if (kind_ != Kind::write) {
    return false;
  }
  const std::size_t sent = impl_->write_now(first, second);
  result_.bytes = sent;
  const std::size_t of_first = std::min(sent, first.size());
  first.remove_prefix(of_first);
  second.remove_prefix(sent - of_first);
  return first.empty() && second.empty();
}

void Socket::Operation::await_suspend(std::coroutine_handle<> handle) {
  handle_ = handle;
  switch (kind_) {
    case Kind::read: impl_->read(this); break;
    case Kind::write: impl_->write(this); break;
    case Kind::connect: impl_->connect(this); break;
  }
}

void Socket::Operation::finish(IoResult result) {
  const std::size_t before = result_.bytes;
  result_ = result;
  result_.bytes += before;
  handle_.resume();
}

Socket::Socket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Socket::Socket(Socket&&) noexcept = default;
Socket& Socket::operator=(Socket&&) noexcept = default;
Socket::~Socket() = default;

Socket::Operation Socket::shake_hands() { return Operation(*impl_, Operation::Kind::connect); }

Socket::Operation Socket::read_some(char* data, std::size_t size) {
  Operation operation(*impl_, Operation::Kind::read);
  operation.data = data;
  operation.size = size;
  return operation;
}

Socket::Operation Socket::write(std::string_view first, std::string_view second) {
  Operation operation(*impl_, Operation::Kind::write);
  operation.first = first;
  operation.second = second;
  return operation;
}

void Socket::close() { impl_->close(); }
void Socket::close_writing() { impl_->close_writing(); }
void Socket::close_reading() { impl_->close_reading(); }
bool Socket::stale() const { return impl_->stale(); }
std::string Socket::peer() const { return impl_->peer(); }

ClientSocket::ClientSocket(void* context, const Target& target)
    : Socket(target.tls ? make_tls(context, target) : make_plain(context, target)) {}

Socket::Operation ClientSocket::connect() { return Operation(*impl_, Operation::Kind::connect); }

class Listener::Impl {
 public:
  Impl(io_context& context, std::shared_ptr<TlsIdentity> identity)
      : acceptor(context),
        tls(std::move(identity)) {}
  std::unique_ptr<Socket> take(Tcp::socket socket) const {
    auto made = tls ? make_accepted_tls(&socket, tls->context())
                    : std::make_unique<Plain>(std::move(socket));
    return std::make_unique<Socket>(std::move(made));
  }
  Tcp::acceptor acceptor;
  const std::shared_ptr<TlsIdentity> tls;
};

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() = default;

Result<std::unique_ptr<Listener>> Listener::open(void* context, const std::string& host,
                                                 std::uint16_t port,
                                                 std::shared_ptr<TlsIdentity> tls) {
  auto impl = std::make_unique<Impl>(*static_cast<io_context*>(context), std::move(tls));
  boost::system::error_code error;
  const std::string literal = host == "localhost" ? "127.0.0.1" : host;
  const auto address = boost::asio::ip::make_address(literal, error);
  const Tcp::endpoint endpoint(address, port);
  if (!error) {
    impl->acceptor.open(endpoint.protocol(), error);
  }
  if (!error) {
    impl->acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  }
  if (!error) {
    impl->acceptor.bind(endpoint, error);
  }
  if (!error) {
    impl->acceptor.listen(4096, error);
  }
  if (error) {
    return Error(Code::unavailable,
                 fmt::format("cannot listen on {}:{}: {}", host, port, error.message()))
        .page(310);
  }
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

std::uint16_t Listener::port() const {
  boost::system::error_code ignored;
  return impl_->acceptor.local_endpoint(ignored).port();
}

Listener::Accept Listener::accept(void* context) { return {*impl_, context}; }

void Listener::close() {
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
}

void Listener::Accept::await_suspend(std::coroutine_handle<> handle) {
  impl_->acceptor.async_accept(
      *static_cast<io_context*>(io_context_),
      [this, handle](const boost::system::error_code& error, Tcp::socket socket) {
        status_ = to_result(error, 0).status;
        if (!error) {
          boost::system::error_code ignored;
          socket.set_option(Tcp::no_delay(true), ignored);
          socket_ = impl_->take(std::move(socket));
        }
        handle.resume();
      });
}

}  // namespace aios::net::detail
